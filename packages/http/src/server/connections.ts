import type { Server, Socket } from 'node:net'

export type ConnectionLimits = Readonly<{
  /** Of all callers together. */
  all: number
  /** Of one address; proxies that are trusted speak for many, and are not held to it. */
  perAddress: number
}>

/** Far more than any client needs, and little enough that connections which say nothing cost no memory to speak of. */
const defaultLimits: ConnectionLimits = { all: 16_384, perAddress: 4_096 }

/** Connections beyond the limits are closed as they come, before anything is read of them. */
export function limitConnections(
  server: Server,
  isProxy: (address: string | undefined) => boolean,
  { all, perAddress }: ConnectionLimits = defaultLimits,
): void {
  const open = new Map<string, number>()
  server.maxConnections = all
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket
    if (isProxy(remoteAddress)) return
    const count = (open.get(remoteAddress) ?? 0) + 1
    if (count > perAddress) {
      socket.destroy()
      return
    }
    open.set(remoteAddress, count)
    socket.once('close', () => {
      const left = (open.get(remoteAddress) ?? 1) - 1
      if (left === 0) open.delete(remoteAddress)
      else open.set(remoteAddress, left)
    })
  })
}
