import { createServer, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { catalogue, type ProblemCode } from '../problems/catalogue.ts'
import { problem, problemText } from '../problems/problem.ts'
import type { HttpInterface } from './app.ts'
import type { Lifecycle } from './lifecycle.ts'
import { secureHeaders } from './pipeline.ts'

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

/** Opens the port. Rejects with the error of node when it cannot. */
export async function listen(
  { app, fastLane, refuseExpectation }: HttpInterface,
  at: Readonly<{ host: string; port: number }>,
  lifecycle: Lifecycle,
  newRequestId: () => string,
): Promise<Listening> {
  const listener = getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0], {
    errorHandler: () => malformed('bad-request', newRequestId()),
  })
  const server = createServer(
    {
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: headerLimitBytes,
      noDelay: true,
    },
    (incoming, outgoing) => {
      if (!fastLane(incoming, outgoing)) void listener(incoming, outgoing)
    },
  )
  server.on('checkExpectation', refuseExpectation)
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => refuseConnection(error, socket, newRequestId()))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port } = server.address() as AddressInfo
  const host = at.host.includes(':') ? `[${at.host}]` : at.host
  return { url: `http://${host}:${port}`, port, close: () => close(server, lifecycle) }
}

async function close(server: Server, lifecycle: Lifecycle): Promise<void> {
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
function malformed(code: ProblemCode, requestId: string): Response {
  const body = problemText(problem(code, catalogue[code].title), '', requestId)
  const headers = { ...secureHeaders, 'content-type': 'application/problem+json', 'x-request-id': requestId, connection: 'close' }
  return new Response(body, { status: catalogue[code].status, headers })
}

/** What node's parser refuses never becomes a request; its answer is written by hand. */
function refuseConnection(error: Error & { code?: string }, socket: Socket, requestId: string): void {
  const answering = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent === true) {
    socket.destroy()
    return
  }
  const code = codeOf(error)
  const { status, title } = catalogue[code]
  const body = problemText(problem(code, title), '', requestId)
  const fields = {
    ...secureHeaders,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`)
}

function codeOf({ code }: { code?: string }): ProblemCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'header-too-large'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request-timeout' : 'bad-request'
}
