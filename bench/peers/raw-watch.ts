/** The least that node:http does for a watch: answers PUTs from memory and writes one line of text to every open response. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const watchers = new Set<ServerResponse>()
let version = 0

const server = createServer((incoming, outgoing) => {
  if (incoming.method === 'GET') {
    outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    outgoing.write('retry: 2000\n\n')
    watchers.add(outgoing)
    outgoing.once('close', () => watchers.delete(outgoing))
    return
  }
  incoming.resume().once('end', () => {
    version += 1
    const change = { component: 'payments', key: 'retry.max-attempts', scope: '/', version, op: 'put' }
    const text = `event: change\nid: abcdefgh.${version}\ndata: ${JSON.stringify({ revision: version, changes: [change] })}\n\n`
    for (const watcher of watchers) watcher.write(text)
    outgoing.writeHead(version === 1 ? 201 : 200, { etag: `"${version}"`, 'content-length': 0 }).end()
  })
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
process.once('SIGTERM', () => process.exit(0))
