import type { Server, Socket } from 'node:net'

export type ConnectionLimits = Readonly<{
  /** Of all callers together. */
  all: number
  /** Of one partition of addresses; proxies that are trusted speak for many, and are not held to it. */
  perAddress: number
}>

/** Whose connections count together, as requests do; `null` for those that are not counted apart. */
export type PartitionOf = (address: string | undefined) => string | null

/** Far more than any client needs, and little enough that connections which say nothing cost no memory to speak of. */
const defaultLimits: ConnectionLimits = { all: 16_384, perAddress: 4_096 }

/** Connections beyond the limits are closed as they come, before anything is read of them. */
export function limitConnections(server: Server, partitionOf: PartitionOf, { all, perAddress }: ConnectionLimits = defaultLimits): void {
  const open = new Map<string, number>()
  server.maxConnections = all
  server.on('connection', (socket: Socket) => {
    const partition = partitionOf(socket.remoteAddress)
    if (partition === null) return
    const count = (open.get(partition) ?? 0) + 1
    if (count > perAddress) {
      socket.destroy()
      return
    }
    open.set(partition, count)
    socket.once('close', () => {
      const left = (open.get(partition) ?? 1) - 1
      if (left === 0) open.delete(partition)
      else open.set(partition, left)
    })
  })
}
