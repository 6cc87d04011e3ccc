import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { addressFinder } from '../access/client-address.ts'
import { type ConnectionLimits, limitConnections, type PartitionOf } from './connections.ts'

const each: PartitionOf = (address) => addressFinder([])(address, undefined).partition
const proxies: PartitionOf = () => null

async function open(partitionOf: PartitionOf, limits: ConnectionLimits): Promise<() => Promise<Socket | null>> {
  const server = createServer((socket) => socket.resume())
  limitConnections(server, partitionOf, limits)
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
  const dial = await open(each, { all: 100, perAddress: 2 })
  const [first] = [await dial(), await dial()]
  expect(await dial()).toBeNull()
  first?.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await dial()).not.toBeNull()
})

it('holds a trusted proxy to no such number, but to that of all', async () => {
  const dial = await open(proxies, { all: 3, perAddress: 1 })
  expect([await dial(), await dial(), await dial()]).not.toContain(null)
  expect(await dial()).toBeNull()
})

it('counts what one subscriber may call from as one', () => {
  const server = createServer()
  limitConnections(server, each, { all: 100, perAddress: 2 })
  const isTaken = (remoteAddress: string): boolean => {
    const socket = Object.assign(new Socket(), {})
    Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress })
    server.emit('connection', socket)
    return !socket.destroyed
  }
  expect(['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map(isTaken)).toEqual([true, true, false, true])
  expect(['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1'].map(isTaken)).toEqual([true, true, false])
})
