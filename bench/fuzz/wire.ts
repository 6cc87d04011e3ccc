import { connect, type Socket } from 'node:net'

/** A request as it goes over the wire, byte by byte. */
export type Wire = Readonly<{
  bytes: Buffer
  /** Answers to HEAD have no body. */
  isHead: boolean
  /** Nothing can be sent after it over the same connection. */
  isLast: boolean
  /** The sender hangs up behind it. */
  hangsUp: boolean
  /** Whether silence would be an answer too. */
  isOwed: boolean
}>

export type Reply = Readonly<{ status: number; headers: ReadonlyMap<string, string>; text: string }>

/** One connection that sends one request after another, and is opened anew where it was closed. */
export type Line = Readonly<{
  /** `null` when the connection ended without an answer; `'late'` when nothing came in time. */
  send: (wire: Wire) => Promise<Reply | null | 'late'>
  close: () => void
}>

/** Node's own client would refuse to send most of what is sent here. */
export function line(port: number, patienceMs: number): Line {
  let open: Socket | null = null
  const close = (): void => {
    open?.on('error', () => {}).destroy()
    open = null
  }
  return {
    send: async (wire) => {
      open ??= await opened(port)
      const reply = await exchange(open, wire, patienceMs)
      const isOver = wire.isLast || wire.hangsUp || reply === null || reply === 'late' || reply.headers.get('connection') === 'close'
      if (isOver || reply.headers.get('content-type') === 'text/event-stream') close()
      return reply
    },
    close,
  }
}

function exchange(socket: Socket, { bytes, isHead, hangsUp }: Wire, patienceMs: number): Promise<Reply | null | 'late'> {
  return new Promise((settle) => {
    let received: Buffer = Buffer.alloc(0)
    const finish = (outcome: Reply | null | 'late'): void => {
      clearTimeout(timer)
      socket.off('data', take).off('close', end).off('error', ignore)
      settle(outcome)
    }
    const ignore = (): void => {}
    const take = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const parsed = parse(received, isHead, false)
      if (parsed !== null) finish(parsed)
    }
    const end = (): void => finish(parse(received, isHead, true))
    const timer = setTimeout(() => finish('late'), patienceMs)
    socket.on('data', take).on('close', end).on('error', ignore)
    socket.write(bytes)
    if (hangsUp) socket.end()
  })
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

/** The first whole answer that is no interim one; `null` for as long as there is none. */
function parse(received: Buffer, isHead: boolean, isOver: boolean): Reply | null {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [first = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(first.split(' ')[1])
  const rest = received.subarray(end + 4)
  if (status >= 100 && status < 200) return parse(rest, isHead, isOver)
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
  if (isHead || status === 204 || status === 304 || headers.get('content-type') === 'text/event-stream')
    return { status, headers, text: '' }
  if (headers.get('transfer-encoding') === 'chunked') {
    const text = unchunked(rest)
    return text === null ? null : { status, headers, text }
  }
  const length = Number(headers.get('content-length') ?? (isOver ? rest.length : Number.NaN))
  return rest.length >= length ? { status, headers, text: rest.subarray(0, length).toString('utf8') } : null
}

function unchunked(given: Buffer): string | null {
  const pieces: Buffer[] = []
  for (let at = 0; ; ) {
    const line = given.indexOf('\r\n', at)
    if (line === -1) return null
    const size = Number.parseInt(given.subarray(at, line).toString('latin1'), 16)
    if (given.length < line + 2 + size + 2) return null
    if (size === 0) return Buffer.concat(pieces).toString('utf8')
    pieces.push(given.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
