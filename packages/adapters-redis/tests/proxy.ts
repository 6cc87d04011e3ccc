import { connect, createServer, type Socket } from 'node:net'

export type Proxy = Readonly<{
  port: number
  /** `hang`: takes everything and answers nothing, as when a cable is cut. Later connections hang as well. */
  behave: (how: 'pass' | 'hang') => void
  stop: () => Promise<void>
}>

/** Stands between the driver and a server. */
export async function startProxy(to: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let hanging = false
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (chunk) => void (hanging || upstream.write(chunk)))
    upstream.on('data', (chunk) => void (hanging || client.write(chunk)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    behave: (how) => {
      hanging = how === 'hang'
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
