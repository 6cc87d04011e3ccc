import type { AddressInfo, Server } from 'node:net'
import { Socket, type TcpNetConnectOpts } from 'node:net'
import { onTestFinished, vi } from 'vitest'

/** Listens on a free port of 127.0.0.1 until the test is over, and counts what connects. */
export async function listening(server: Server): Promise<{ port: number; connections(): number; open(): number }> {
  let connections = 0
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, connections: () => connections, open: () => sockets.size }
}

/** Sees every connection that this process is about to open, by TCP or TLS, and opens none: it answers with what it would have gone to. */
export function withoutNetwork(): { attempts(): readonly string[] } {
  const attempts: string[] = []
  const spy = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...given: unknown[]) {
    const options = (Array.isArray(given[0]) ? given[0][0] : given[0]) as TcpNetConnectOpts
    const { host = '', lookup } = options
    if (lookup === undefined) throw new Error('a connection without a lookup of our own')
    lookup(host, { all: true }, (error, addresses) => {
      if (error === null) attempts.push(...(addresses as unknown as { address: string }[]).map(({ address }) => address))
      this.destroy(error ?? Object.assign(new Error('no network'), { code: 'ENETUNREACH' }))
    })
    return this
  })
  onTestFinished(() => spy.mockRestore())
  return { attempts: () => attempts }
}
