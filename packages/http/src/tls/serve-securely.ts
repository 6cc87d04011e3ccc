import type { RequestListener, ServerOptions } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isPeerUnverified } from './peer-certificate.ts'
import type { Tls } from './secure-server.ts'

export type SecureServer = Readonly<{
  server: Server
  /** Ends connections that are not agreed on yet: the server itself knows only those that are. */
  cutHandshakes: () => void
}>

/** HTTPS with the certificate that `tls` holds now and whatever it holds later. Connections that are open stay as they are. */
export function createSecureServer(tls: Tls, options: ServerOptions, answer: RequestListener): SecureServer {
  const server = createServer({ ...options, ...tls.options() }, answer)
  const agreeing = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    agreeing.set(name, socket)
    socket.once('close', () => {
      if (agreeing.get(name) === socket) agreeing.delete(name)
    })
  })
  server.on('secureConnection', (socket) => {
    agreeing.delete(nameOf(socket))
    if (isPeerUnverified(socket)) socket.destroy()
  })
  // Node would hand these to what answers in plain HTTP, over a connection that speaks neither.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (_error: Error, socket: TLSSocket) => {
    tls.countFailure()
    socket.destroy()
  })
  tls.keepUpToDate(server)
  return {
    server,
    cutHandshakes: () => {
      for (const socket of agreeing.values()) socket.destroy()
    },
  }
}

/** One connection by both of the objects that node has for it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
