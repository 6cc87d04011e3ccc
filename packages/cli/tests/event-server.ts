import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request to the fake service, which its test answers. */
export type Visit = Readonly<{
  lastEventId: string | undefined
  token: string | undefined
  url: string
  /** Begins a stream of events. */
  stream: () => void
  send: (text: string) => Promise<void>
  /** Cuts the connection, as a crash would. */
  cut: () => void
  answer: (status: number, body: unknown, headers?: Readonly<Record<string, string>>) => void
}>

export type EventServer = Readonly<{
  url: string
  /** The next request, as soon as there is one. */
  visit: () => Promise<Visit>
  stop: () => Promise<void>
  /** Listens again where it did before. */
  start: () => Promise<void>
}>

/** A service that does what its test says. */
export async function eventServer(): Promise<EventServer> {
  const visits: Visit[] = []
  const waiting: ((visit: Visit) => void)[] = []
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const visit = visitOf(request, response)
    const next = waiting.shift()
    if (next === undefined) visits.push(visit)
    else next(visit)
  }
  let server = await listen(onRequest, 0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    visit: async () => visits.shift() ?? new Promise((resolve) => waiting.push(resolve)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    start: async () => {
      server = await listen(onRequest, port)
    },
  }
}

function listen(onRequest: (request: IncomingMessage, response: ServerResponse) => void, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onRequest).once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function visitOf(request: IncomingMessage, response: ServerResponse): Visit {
  return {
    lastEventId: request.headers['last-event-id'] as string | undefined,
    token: request.headers.authorization,
    url: request.url ?? '',
    stream: () => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
    send: (text) => new Promise((resolve) => response.write(text, () => resolve())),
    cut: () => void response.destroy(),
    answer: (status, body, headers = {}) =>
      void response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify(body)),
  }
}

/** A revision as the service tells it. */
export function changeEvent(revision: number, epoch = 'e'): string {
  const change = { component: 'payments', key: 'limit', scope: '/', version: revision, op: 'put' }
  return `event: change\nid: ${epoch}.${revision}\ndata: ${JSON.stringify({ revision, changes: [change] })}\n\n`
}

export function heartbeat(revision: number, epoch = 'e'): string {
  return `event: heartbeat\nid: ${epoch}.${revision}\ndata: {"revision":${revision}}\n\n`
}
