import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { type ConnectionLimits, limitConnections } from './connections.ts'

async function open(isProxy: boolean, limits: ConnectionLimits): Promise<() => Promise<Socket | null>> {
  const server = createServer((socket) => socket.resume())
  limitConnections(server, () => isProxy, limits)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    const gone = once(socket, 'close').then(() => true)
    const isGone = await Promise.race([gone, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 100))])
    return isGone ? null : socket
  }
}

it('takes as many connections of one address as it may have, and another when one of them has gone', async () => {
  const dial = await open(false, { all: 100, perAddress: 2 })
  const [first] = [await dial(), await dial()]
  expect(await dial()).toBeNull()
  first?.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await dial()).not.toBeNull()
})

it('holds a trusted proxy to no such number, but to that of all', async () => {
  const dial = await open(true, { all: 3, perAddress: 1 })
  expect([await dial(), await dial(), await dial()]).not.toContain(null)
  expect(await dial()).toBeNull()
})
