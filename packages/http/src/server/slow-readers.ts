import type { Server, Socket } from 'node:net'

export type SlowReaderLimits = Readonly<{
  /** How long one write may wait to be taken. */
  afterMs: number
  lookEveryMs: number
}>

/** The largest answers pass a poor line in this time. */
const defaultLimits: SlowReaderLimits = { afterMs: 120_000, lookEveryMs: 5_000 }

type Waiting = Readonly<{ taken: number; sinceMs: number }>

/**
 * Cuts connections that do not take what is written to them. Nothing of node does: it would keep each answer for as long
 * as the other side cares to hold the line. `event` is the one with which the server tells of a connection that is ready.
 */
export function cutSlowReaders(
  server: Server,
  event: 'connection' | 'secureConnection',
  { afterMs, lookEveryMs }: SlowReaderLimits = defaultLimits,
): void {
  const open = new Map<Socket, Waiting | null>()
  const look = (): void => {
    const now = performance.now()
    for (const [socket, before] of open) {
      const { writableLength } = socket
      if (writableLength === 0) {
        if (before !== null) open.set(socket, null)
        continue
      }
      const taken = socket.bytesWritten - writableLength
      if (before?.taken !== taken) open.set(socket, { taken, sinceMs: now })
      else if (now - before.sinceMs >= afterMs) socket.destroy()
    }
  }
  const timer = setInterval(look, lookEveryMs).unref()
  server.once('close', () => clearInterval(timer))
  server.on(event, (socket: Socket) => {
    open.set(socket, null)
    socket.once('close', () => open.delete(socket))
  })
}
