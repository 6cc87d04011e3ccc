import { connect, type Socket } from 'node:net'

export type LineAnswer = Readonly<{ status: number; etag: string | null; location: string | null; body: string }>

/** One kept-alive HTTP/1.1 connection, one request at a time: a client that costs far less than the server it measures. */
export type Line = Disposable & Readonly<{ send: (request: string) => Promise<LineAnswer> }>

export async function openLine(port: number): Promise<Line> {
  const socket = await connected(port)
  let received = ''
  let settle: { resolve: (answer: LineAnswer) => void; reject: (error: Error) => void } | null = null
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    received += chunk
    const answer = parse(received)
    if (answer === null) return
    received = ''
    const { resolve } = settle ?? {}
    settle = null
    resolve?.(answer)
  })
  const fail = (error: Error): void => settle?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection was closed')))
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(request)
      }),
    [Symbol.dispose]: () => socket.destroy(),
  }
}

/** `from`: the address of this end. */
export function connected(port: number, from = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

function parse(text: string): LineAnswer | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0)
  if (text.length < end + 4 + length) return null
  const etag = /\r\netag: ([^\r]+)/i.exec(text)?.[1] ?? null
  const location = /\r\nlocation: ([^\r]+)/i.exec(text)?.[1] ?? null
  return { status: Number(text.slice(9, 12)), etag, location, body: text.slice(end + 4) }
}

export type PostRequest = Readonly<{ path: string; token: string; idempotencyKey: string; body: string }>

export function postRequest({ path, token, idempotencyKey, body }: PostRequest): string {
  const content = body === '' ? '' : 'Content-Type: application/json\r\n'
  const fields = `Host: bench\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: ${idempotencyKey}\r\n${content}Content-Length: ${body.length}`
  return `POST ${path} HTTP/1.1\r\n${fields}\r\n\r\n${body}`
}

export type PutRequest = Readonly<{ path: string; token: string; etag: string | null; value: unknown }>

export function putRequest({ path, token, etag, value }: PutRequest): string {
  const body = JSON.stringify({ value, reason: 'bench' })
  const condition = etag === null ? 'If-None-Match: *' : `If-Match: ${etag}`
  const fields = `Host: bench\r\nAuthorization: Bearer ${token}\r\n${condition}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
  return `PUT ${path} HTTP/1.1\r\n${fields}\r\n\r\n${body}`
}
