import { connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of the next request whose text holds `COMMIT TRANSACTION`. */
export type Fault = 'none' | 'cut-before' | 'cut-after' | 'hold'

/** Between a store and its server: passes everything on, but for the fault that a test asks for. */
export type FaultyProxy = Readonly<{
  port: number
  /** Once; then requests pass again. */
  fail(fault: Fault): void
  /** Passes on what `hold` has kept, though its sender has long been cut off. */
  letGo(): void
  cutAll(): void
  close(): Promise<void>
}>

const commit = Buffer.from('COMMIT TRANSACTION', 'utf16le')

export async function faultyProxy(target: Readonly<{ host: string; port: number }>): Promise<FaultyProxy> {
  let fault: Fault = 'none'
  const sockets = new Set<Socket>()
  const held: (() => void)[] = []

  const server: Server = createServer((client) => {
    const upstream = connect(target)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    let isHeld = false
    upstream.on('data', (data) => client.write(data))
    upstream.on('close', () => client.destroy())
    client.on('close', () => {
      if (!isHeld) upstream.end()
    })
    client.on('data', (data: Buffer) => {
      const current = data.includes(commit) ? fault : 'none'
      if (current !== 'none') fault = 'none'
      switch (current) {
        case 'none':
          upstream.write(data)
          break
        case 'cut-before':
          client.destroy()
          break
        case 'cut-after':
          upstream.write(data, () => client.destroy())
          break
        case 'hold':
          isHeld = true
          held.push(() => upstream.write(data, () => upstream.end()))
          client.destroy()
          break
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    fail(next) {
      fault = next
    },
    letGo() {
      for (const send of held.splice(0)) send()
    },
    cutAll() {
      for (const socket of sockets) socket.destroy()
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
