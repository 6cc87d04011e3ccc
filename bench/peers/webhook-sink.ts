/**
 * Endpoints of webhooks, each on a port of its own: `/ok` answers 200 at once, `/hang` takes the request and never answers.
 * The first port is for whoever measures: what arrived and when, on the clock that all processes share.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const [count = '10'] = process.argv.slice(2)
let arrivals: (readonly [endpoint: number, payment: string, atMs: number])[] = []
let hanging: ServerResponse[] = []

function take(endpoint: number, request: IncomingMessage, response: ServerResponse): void {
  const atMs = Number(process.hrtime.bigint()) / 1e6
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    body += chunk
  })
  request.on('end', () => {
    if (request.url === '/hang') {
      hanging.push(response)
      return
    }
    const { payload } = JSON.parse(body) as { payload: { id: string } }
    arrivals.push([endpoint, payload.id, atMs])
    response.end()
  })
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const ports: number[] = []
for (let endpoint = 0; endpoint < Number(count); endpoint += 1) {
  ports.push(await listening(createServer({ keepAliveTimeout: 60_000 }, (request, response) => take(endpoint, request, response))))
}

function control(request: IncomingMessage, response: ServerResponse): void {
  const answer = (value: unknown): void => void response.end(JSON.stringify(value))
  if (request.url === '/endpoints') answer(ports)
  else if (request.url === '/arrivals') {
    answer(arrivals)
    arrivals = []
  } else {
    for (const each of hanging) each.destroy()
    hanging = []
    answer('released')
  }
}

const port = await listening(createServer(control))
process.stdout.write(`listening on http://127.0.0.1:${port}\n`)
process.once('SIGTERM', () => process.exit(0))
