import { connect, createServer, type Socket } from 'node:net'

export type TcpProxy = Readonly<{
  url: string
  /** From now on nothing of what the server answers comes through, over connections that are open or opened later. */
  holdAnswers(): void
  /** What was held is gone for good. */
  passAnswers(): void
  /** Ends every connection at once, without a word. */
  cut(): void
  stop(): Promise<void>
}>

/** Stands between a client and the server of `url`, and can fail like a network. */
export async function tcpProxy(url: string): Promise<TcpProxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let isHolding = false
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    client.on('data', (chunk) => upstream.write(chunk))
    upstream.on('data', (chunk) => {
      if (!isHolding) client.write(chunk)
    })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    holdAnswers() {
      isHolding = true
    },
    passAnswers() {
      isHolding = false
    },
    cut,
    async stop() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
