/** The least that a Node server can do for the same answer: no routing, no access, no log. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Exemplar = Readonly<{ headers: Readonly<Record<string, string>>; body: string }>

const { headers, body } = JSON.parse(process.argv[2] ?? '') as Exemplar
const { 'content-type': _type, 'content-length': _length, ...unchangedHeaders } = headers
const etag = headers['etag']

const server = createServer((incoming, outgoing) => {
  if (incoming.headers['if-none-match'] === etag) outgoing.writeHead(304, unchangedHeaders).end()
  else outgoing.writeHead(200, headers).end(body)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
process.once('SIGTERM', () => process.exit(0))
