import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebhookAnswer, WebhookUnanswered } from '@cbp/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { listening, withoutNetwork } from '../../../tests/webhook-receiver.ts'
import { type WebhookTransportOptions, webhookTransport } from './webhook-transport.ts'

type Opened = ReturnType<typeof webhookTransport>

function opened(options: Partial<WebhookTransportOptions> = {}): Opened {
  const transport = webhookTransport({ allowDevelopmentTargets: true, ...options })
  onTestFinished(() => transport.close())
  return transport
}

/** Answers the nth time with the nth list, and with the last from then on. */
function answering(...lists: readonly string[][]): { resolve(name: string): Promise<readonly string[]>; close(): void; calls(): number } {
  let calls = 0
  return {
    resolve: () => {
      const list = lists[Math.min(calls, lists.length - 1)] ?? []
      calls += 1
      return Promise.resolve(list)
    },
    close: () => undefined,
    calls: () => calls,
  }
}

async function receiver(handler: RequestListener): Promise<Awaited<ReturnType<typeof listening>> & { url: string }> {
  const server = await listening(createServer(handler))
  return { ...server, url: `http://localhost:${server.port}/hook` }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

async function post(transport: Opened, url: string, timeoutMs = 5000): Promise<WebhookAnswer | WebhookUnanswered> {
  return (await transport.post({ url, headers: { 'webhook-id': 'msg_1' }, body: '{"type":"TEST"}', timeoutMs })).match(
    (answer) => answer,
    (unanswered) => unanswered,
  )
}

const ok: RequestListener = (_request, response) => void response.end('ok')

describe('a call', () => {
  it('is one POST with the header fields and the body as given', async () => {
    const seen: unknown[] = []
    const { url } = await receiver((request, response) => {
      void textOf(request).then((body) => {
        seen.push([request.method, request.url, request.headers['webhook-id'], request.headers['content-length'], body])
        response.writeHead(202).end('thanks')
      })
    })
    expect(await post(opened(), `${url}?a=%20b`)).toEqual({ status: 202, retryAfterMs: null, body: 'thanks' })
    expect(seen).toEqual([['POST', '/hook?a=%20b', 'msg_1', '15', '{"type":"TEST"}']])
  })

  it.each([200, 204, 304, 400, 410, 429, 500, 599])('answered with %i has that status', async (status) => {
    const { url } = await receiver((_request, response) => void response.writeHead(status).end())
    expect(await post(opened(), url)).toMatchObject({ status })
  })

  it('tells how long to wait, in either form', async () => {
    const fields = ['7', new Date(Date.now() + 60_000).toUTCString(), 'later']
    const { url } = await receiver((_request, response) => void response.writeHead(503, { 'retry-after': fields.shift() }).end())
    const transport = opened()
    expect(await post(transport, url)).toMatchObject({ retryAfterMs: 7000 })
    const { retryAfterMs } = (await post(transport, url)) as WebhookAnswer
    expect(retryAfterMs).toBeGreaterThan(50_000)
    expect(retryAfterMs).toBeLessThanOrEqual(60_000)
    expect(await post(transport, url)).toMatchObject({ retryAfterMs: null })
  })

  it('does not go through a proxy of the environment', async () => {
    const proxy = await receiver(ok)
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) vi.stubEnv(name, proxy.url)
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { url } = await receiver(ok)
    expect(await post(opened(), url)).toMatchObject({ status: 200 })
    expect(proxy.connections()).toBe(0)
  })

  it('uses its connection again after an answer that was read whole', async () => {
    const { url, connections } = await receiver(ok)
    const transport = opened()
    for (let call = 0; call < 5; call += 1) await post(transport, url)
    expect(connections()).toBe(1)
  })
})

describe('the body of an answer', () => {
  it('is kept up to 1 KiB, and the rest is neither read nor its connection used again', async () => {
    let sent = 0
    const { url, connections, open } = await receiver((_request, response) => {
      const more = (): void => {
        while (sent < 1e9 && response.write('x'.repeat(65_536))) sent += 65_536
      }
      response.on('drain', more)
      more()
    })
    const transport = opened()
    expect(await post(transport, url)).toEqual({ status: 200, retryAfterMs: null, body: 'x'.repeat(1024) })
    await vi.waitFor(() => expect(open()).toBe(0))
    expect(sent).toBeLessThan(50_000_000)
    await post(transport, url)
    expect(connections()).toBe(2)
  })

  it.each([
    ['bytes that are no text', Buffer.from([0x61, 0xff, 0xfe, 0x00, 0x62]), 'a\uFFFD\uFFFD\uFFFDb'],
    ['a character cut off at the end', Buffer.from('é').subarray(0, 1), '\uFFFD'],
    ['a character cut in two by the limit', Buffer.from(`${'x'.repeat(1023)}é${'x'.repeat(100)}`), 'x'.repeat(1023)],
  ])('may be %s', async (_what, bytes, text) => {
    const { url } = await receiver((_request, response) => void response.end(bytes))
    expect(await post(opened(), url)).toMatchObject({ status: 200, body: text })
  })
})

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('with %i is an answer and is not followed', async (status) => {
    const inside = await receiver(ok)
    const { url } = await receiver((_request, response) => void response.writeHead(status, { location: inside.url }).end())
    expect(await post(opened(), url)).toMatchObject({ status })
    expect(inside.connections()).toBe(0)
  })
})

describe('a name', () => {
  it('is connected to at the address that was checked, whatever the resolver says the second time', async () => {
    const resolver = answering(['8.8.8.8'], ['127.0.0.1'])
    const network = withoutNetwork()
    const transport = opened({ allowDevelopmentTargets: false, resolver })
    expect(await post(transport, 'https://rebinding.example/')).toMatchObject({ cause: 'unreachable' })
    expect([resolver.calls(), network.attempts()]).toEqual([1, ['8.8.8.8']])
    expect(await post(transport, 'https://rebinding.example/')).toMatchObject({ cause: 'forbidden' })
    expect([resolver.calls(), network.attempts()]).toEqual([2, ['8.8.8.8']])
  })

  it.each([
    [['127.0.0.1']],
    [['::1']],
    [['8.8.8.8', '127.0.0.1']],
    [['10.0.0.1', '8.8.8.8']],
    [['2606:4700:4700::1111', '::ffff:8.8.8.8']],
    [['8.8.8.8', 'fe80::1%eth0']],
    [[...Array.from({ length: 20 }, () => '8.8.8.8'), '169.254.169.254']],
    [['not an address']],
  ])('that resolves to %j is forbidden without saying to what', async (addresses) => {
    const network = withoutNetwork()
    const transport = opened({ allowDevelopmentTargets: false, resolver: answering(addresses) })
    expect(await post(transport, 'https://hooks.example.com/')).toEqual({
      kind: 'webhook-unanswered',
      cause: 'forbidden',
      reason: 'The host name resolves to a forbidden address',
    })
    expect(network.attempts()).toEqual([])
  })

  it.each([['10.0.0.1'], ['192.168.1.1'], ['169.254.169.254'], ['fd00::1'], ['0.0.0.0']])(
    'that resolves to %s is forbidden in development too',
    async (address) => {
      const network = withoutNetwork()
      const transport = opened({ resolver: answering(['127.0.0.1', address]) })
      expect(await post(transport, 'http://hooks.example.com/')).toMatchObject({ cause: 'forbidden' })
      expect(network.attempts()).toEqual([])
    },
  )

  it('with hundreds of addresses is tried at a few of them', async () => {
    const network = withoutNetwork()
    const addresses = Array.from({ length: 200 }, (_, index) => `8.8.8.${index}`)
    await post(opened({ resolver: answering(addresses) }), 'https://hooks.example.com/')
    expect(network.attempts()).toEqual(addresses.slice(0, 8))
  })

  it('is asked for again with the next connection only', async () => {
    const resolver = answering(['127.0.0.1'], ['10.0.0.1'])
    const { port } = await receiver((request, response) => {
      if (request.url === '/last') response.setHeader('connection', 'close')
      response.end('ok')
    })
    const transport = opened({ resolver })
    const statuses = []
    for (const path of ['first', 'last', 'next']) statuses.push(await post(transport, `http://hooks.example.com:${port}/${path}`))
    expect(statuses).toMatchObject([{ status: 200 }, { status: 200 }, { cause: 'forbidden' }])
    expect(resolver.calls()).toBe(2)
  })

  it('that is not known is unreachable', async () => {
    for (const resolver of [answering([]), { resolve: () => Promise.reject(new Error('ENOTFOUND 10.0.0.53')), close: () => undefined }]) {
      expect(await post(opened({ resolver }), 'https://hooks.example.com/')).toEqual({
        kind: 'webhook-unanswered',
        cause: 'unreachable',
        reason: 'The host name cannot be resolved',
      })
    }
  })

  it('whose resolver hangs ends at the deadline', async () => {
    const resolver = { resolve: () => new Promise<never>(() => undefined), close: () => undefined }
    expect(await post(opened({ resolver }), 'https://hooks.example.com/', 50)).toMatchObject({ cause: 'timeout' })
  })
})

describe('a target that takes too long', () => {
  const tooSlow: Readonly<Record<string, RequestListener>> = {
    'never answers': () => undefined,
    'sends its header byte by byte': ({ socket }) => dripping(socket, 'HTTP/1.1 200 OK\r\nX-Slow: '),
    'sends interim answers without end': ({ socket }) => dripping(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    'sends its body byte by byte': ({ socket }) => dripping(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'),
    'sends its body in chunks without end': ({ socket }) =>
      dripping(socket, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'),
  }

  it.each(Object.keys(tooSlow))('because it %s ends at the deadline, and its connection is given up', async (how) => {
    const { url, open } = await receiver(tooSlow[how] ?? ok)
    const startedAt = performance.now()
    expect(await post(opened(), url, 300)).toEqual({
      kind: 'webhook-unanswered',
      cause: 'timeout',
      reason: 'There was no complete answer within 300 ms',
    })
    expect(performance.now() - startedAt).toBeLessThan(1500)
    await vi.waitFor(() => expect(open()).toBe(0))
  })

  it('because it takes the connection and never speaks TLS ends at the deadline', async () => {
    const { port, open, connections } = await listening(createTcpServer((socket) => void socket.resume()))
    expect(await post(opened(), `https://localhost:${port}/`, 100)).toMatchObject({ cause: 'timeout' })
    await vi.waitFor(() => expect([open(), connections()]).toEqual([0, 1]))
  })

  it('holds up no other, and opens a bounded number of connections', async () => {
    const hanging = await receiver(() => undefined)
    const { url, connections } = await receiver(ok)
    const transport = opened()
    const hung = Array.from({ length: 40 }, (_, index) => post(transport, hanging.url, index < 8 ? 1500 : 700))
    await delay(50)
    const startedAt = performance.now()
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(transport, url)))
    expect(performance.now() - startedAt).toBeLessThan(600)
    expect(answers.every((answer) => 'status' in answer && answer.status === 200)).toBe(true)
    expect(connections()).toBeLessThanOrEqual(8)
    expect(hanging.open()).toBe(8)
    expect(await Promise.all(hung)).toEqual(Array.from({ length: 40 }, () => expect.objectContaining({ cause: 'timeout' })))
    await vi.waitFor(() => expect(hanging.open()).toBe(0))
    expect(hanging.connections()).toBe(8)
  })
})

describe('a target that breaks', () => {
  const closed = 'The connection was closed before the answer was complete'
  const broken: readonly (readonly [string, (socket: Socket) => void, string])[] = [
    ['resets the connection', (socket) => socket.resetAndDestroy(), closed],
    ['closes without an answer', (socket) => socket.end(), closed],
    ['resets within the body', (socket) => resetAfter(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx'), closed],
    ['speaks another protocol', (socket) => socket.write('HTTP/1.1 101 Over\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'), closed],
    ['speaks no HTTP', (socket) => socket.end('220 smtp.example.com ESMTP\r\n'), 'The answer is not HTTP/1.1'],
    [
      'sends header fields without measure',
      (socket) => socket.end(`HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(40_000)}\r\n\r\n`),
      'The header fields of the answer are too large',
    ],
  ]

  it.each(broken)('because it %s is unreachable', async (_how, act, reason) => {
    const server = await listening(createTcpServer((socket) => socket.once('data', () => act(socket))))
    expect(await post(opened(), `http://localhost:${server.port}/`)).toEqual({ kind: 'webhook-unanswered', cause: 'unreachable', reason })
  })

  it('because nobody listens is unreachable, and the reason names no address', async () => {
    const resolver = answering(['127.0.0.1', '127.0.0.2'])
    const unanswered = (await post(opened({ resolver }), 'http://hooks.example.com:1/')) as WebhookUnanswered
    expect(unanswered).toEqual({ kind: 'webhook-unanswered', cause: 'unreachable', reason: 'The connection failed (ECONNREFUSED)' })
  })

  it('is called anew with the next call', async () => {
    let calls = 0
    const { url } = await receiver((request: IncomingMessage, response: ServerResponse) => {
      calls += 1
      if (calls === 1) request.socket.destroy()
      else response.end('ok')
    })
    const transport = opened()
    expect(await post(transport, url)).toMatchObject({ cause: 'unreachable' })
    expect(await post(transport, url)).toMatchObject({ status: 200 })
    expect(calls).toBe(2)
  })
})

describe('closing', () => {
  it('ends what is under way, also before TLS has come about, and refuses what comes after', async () => {
    const hanging = await receiver(() => undefined)
    const mute = await listening(createTcpServer((socket) => void socket.resume()))
    const transport = opened()
    const underWay = [post(transport, hanging.url), post(transport, `https://localhost:${mute.port}/`)]
    await vi.waitFor(() => expect([hanging.open(), mute.open()]).toEqual([1, 1]))
    await transport.close()
    const stopping = { kind: 'webhook-unanswered', cause: 'stopped', reason: 'This service is stopping' }
    expect(await Promise.all(underWay)).toEqual([stopping, stopping])
    await vi.waitFor(() => expect([hanging.open(), mute.open()]).toEqual([0, 0]))
    expect(await post(transport, hanging.url)).toEqual(stopping)
  })
})

function dripping(socket: Socket, first: string, then = 'x'): void {
  socket.write(first)
  const timer = setInterval(() => socket.write(then), 20)
  socket.once('close', () => clearInterval(timer))
}

function resetAfter(socket: Socket, text: string): void {
  socket.write(text)
  setTimeout(() => socket.resetAndDestroy(), 50)
}
