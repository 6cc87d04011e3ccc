import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Whether a request may be taken up that came over its connection before those ahead of it were answered. */
export type MayFollow = (socket: Socket, outgoing: ServerResponse) => boolean

const followersLimit = 64

/**
 * Node takes up at once whatever of one connection has arrived, so that a few that send thousands of requests in a row
 * would keep everybody else waiting, probes of health included. A connection beyond the limit is cut.
 */
export function pipelining(): MayFollow {
  const waiting = new WeakMap<Socket, number>()
  return (socket, outgoing) => {
    if (socket.destroyed) return false
    // Its turn has come already, as that of nearly all: it costs them no more than this look.
    if (outgoing.socket !== null) return true
    const count = (waiting.get(socket) ?? 0) + 1
    if (count > followersLimit) {
      socket.destroy()
      return false
    }
    waiting.set(socket, count)
    outgoing.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1))
    return true
  }
}
