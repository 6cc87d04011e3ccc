import { createServer, type Server } from 'node:net'

/** What a login asked for (MS-TDS 2.2.6.4, LOGIN7). */
type Login = Readonly<{ readOnlyIntent: boolean }>

/** A server that hears logins, in the clear, and lets nobody in. */
export type LoginRecorder = Readonly<{ port: number; logins: readonly Login[]; close: () => Promise<void> }>

const [preLogin, login7] = [0x12, 0x10]

/** A PRELOGIN answer: version 15.0, no encryption. */
const answer = Buffer.from('0401001a0000010000000b000601001100 01ff0f0000000000 02'.replaceAll(' ', ''), 'hex')

export async function recordLogins(): Promise<LoginRecorder> {
  const logins: Login[] = []
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (packet) => {
      if (packet[0] === preLogin) socket.write(answer)
      if (packet[0] !== login7) return
      // Header 8, then six words, two bytes of options, and the type flags, of which 0x20 is the read-only intent.
      logins.push({ readOnlyIntent: ((packet[8 + 24 + 2] ?? 0) & 0x20) !== 0 })
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    logins,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}
