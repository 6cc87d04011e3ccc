import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { cutSlowReaders } from './slow-readers.ts'

const large = Buffer.alloc(32 * 1024 * 1024)

async function open(): Promise<() => Promise<Socket>> {
  const server = createServer((_incoming, outgoing) => outgoing.end(large))
  cutSlowReaders(server, 'connection', { afterMs: 150, lookEveryMs: 50 })
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
    await once(socket, 'connect')
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    return socket
  }
}

it('cuts a connection whose answer is not taken', async () => {
  const ask = await open()
  const socket = await ask()
  const [failed] = await Promise.all([
    once(socket, 'close'),
    new Promise((resolve) => setTimeout(resolve, 600)).then(() => socket.resume()),
  ])
  expect(failed).toBeDefined()
  expect(socket.bytesRead).toBeLessThan(large.length)
})

it('leaves those alone that have taken theirs, or wait', async () => {
  const ask = await open()
  const socket = await ask()
  socket.resume()
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect([socket.closed, socket.bytesRead > large.length]).toEqual([false, true])
})
