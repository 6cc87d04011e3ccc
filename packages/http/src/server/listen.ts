import { createServer, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { catalogue, type ProblemCode } from '../problems/catalogue.ts'
import { problem, problemText } from '../problems/problem.ts'
import type { Tls } from '../tls/secure-server.ts'
import { createSecureServer } from '../tls/serve-securely.ts'
import type { HttpInterface } from './app.ts'
import { limitConnections } from './connections.ts'
import { countFields } from './exchange.ts'
import type { Lifecycle } from './lifecycle.ts'
import { pipelining } from './pipelining.ts'
import type { SecureHeaders } from './secure-headers.ts'
import { cutSlowReaders } from './slow-readers.ts'

export type Listening = Readonly<{
  url: string
  port: number
  /** Takes no new connections, lets answers under way finish, tells watchers; resolves when every connection has ended. */
  close: () => Promise<void>
}>

const keepAliveMs = 65_000
const headersMs = 15_000
const requestMs = 30_000
const headerLimitBytes = 16 * 1024

/** How long answers under way may take once a shutdown has begun. */
const graceMs = 10_000

/** A crowd that connects at once waits here for its turn; node's own 511 turns many away who then lose seconds before they try again. */
const backlog = 2048

/** What node is told of every server here. */
const serverOptions = {
  keepAliveTimeout: keepAliveMs,
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: headerLimitBytes,
  noDelay: true,
  // Node would answer by itself, and with no problem in it.
  requireHostHeader: false,
}

/** `tls`: absent or `null` for plain HTTP. */
export type Place = Readonly<{ host: string; port: number; tls?: Tls | null }>

/** Opens the port. Rejects with the error of node when it cannot. */
export async function listen(
  { app, fastLane, partitionOf, refuseExpectation, secureHeaders }: HttpInterface,
  { host, port, tls = null }: Place,
  lifecycle: Lifecycle,
  newRequestId: () => string,
): Promise<Listening> {
  const listener = getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0], {
    errorHandler: () => malformed('bad-request', secureHeaders, newRequestId()),
  })
  const mayFollow = pipelining()
  const answer: RequestListener = (incoming, outgoing) => {
    if (!mayFollow(incoming.socket, outgoing)) return
    if (countFields(incoming, 'host') > 1) refuseSeveralHosts(outgoing, secureHeaders, newRequestId())
    else if (!fastLane(incoming, outgoing)) void listener(incoming, outgoing)
  }
  const { server, cutHandshakes } =
    tls === null ? { server: createServer(serverOptions, answer), cutHandshakes: () => {} } : createSecureServer(tls, serverOptions, answer)
  limitConnections(server, partitionOf)
  cutSlowReaders(server, tls === null ? 'connection' : 'secureConnection')
  server.on('checkExpectation', refuseExpectation)
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) =>
    refuseConnection(error, socket, secureHeaders, newRequestId()),
  )
  const bound = await bind(server, host, port)
  const close = (): Promise<void> => {
    cutHandshakes()
    return closeInOrder(server, lifecycle)
  }
  return { url: `${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`, port: bound, close }
}

/**
 * Takes webhooks of the sandbox at a loopback port of their own, where the service itself speaks TLS: the sandbox knows
 * neither its authority nor the names in its certificate, and has none of its own to show.
 */
export async function listenForSandbox({ fastLane }: Pick<HttpInterface, 'fastLane'>, path: string): Promise<Listening> {
  const server = createServer(serverOptions, (incoming, outgoing) => {
    const isCallback = incoming.method === 'POST' && incoming.url === path
    if (!isCallback || !fastLane(incoming, outgoing)) outgoing.writeHead(404, { connection: 'close' }).end()
  })
  const port = await bind(server, '127.0.0.1', 0)
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}${path}`, port, close }
}

async function bind(server: NetServer, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

async function closeInOrder(server: Server, lifecycle: Lifecycle): Promise<void> {
  lifecycle.stop()
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    // Connections that were only kept alive; those that answer now are told to close by their answer.
    server.closeIdleConnections()
  })
}

/** Problems that arise before there is a request to route. */
function malformed(code: ProblemCode, secureHeaders: SecureHeaders, requestId: string): Response {
  const { body, fields } = shortRefusal(code, secureHeaders, requestId)
  return new Response(body, { status: catalogue[code].status, headers: fields })
}

/** Which of them a proxy before this has followed, nobody could say (RFC 9112, 3.2). */
function refuseSeveralHosts(outgoing: ServerResponse, secureHeaders: SecureHeaders, requestId: string): void {
  const { body, fields } = shortRefusal('bad-request', secureHeaders, requestId)
  outgoing.writeHead(catalogue['bad-request'].status, fields).end(body)
}

type ShortRefusal = Readonly<{ body: string; fields: Readonly<Record<string, string>> }>

function shortRefusal(code: ProblemCode, secureHeaders: SecureHeaders, requestId: string): ShortRefusal {
  const body = problemText(problem(code, catalogue[code].title), '', requestId)
  const own = { 'content-type': 'application/problem+json', 'content-length': String(Buffer.byteLength(body)) }
  return { body, fields: { ...secureHeaders, ...own, 'x-request-id': requestId, connection: 'close' } }
}

/** What node's parser refuses never becomes a request; its answer is written by hand. */
function refuseConnection(error: Error & { code?: string }, socket: Socket, secureHeaders: SecureHeaders, requestId: string): void {
  const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent === true) {
    socket.destroy()
    return
  }
  // What cannot be read came behind a whole request, whose client must not take a refusal of the rest for its answer.
  if (answering?.req.complete === true) {
    answering.setHeader('connection', 'close').once('close', () => socket.destroySoon())
    return
  }
  const code = codeOf(error)
  const { body, fields } = shortRefusal(code, secureHeaders, requestId)
  const { status } = catalogue[code]
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

function codeOf({ code }: { code?: string }): ProblemCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'header-too-large'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request-timeout' : 'bad-request'
}
