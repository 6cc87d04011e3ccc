import { connect } from 'node:net'
import { type Address, type ConfigWatch, createCore } from '@cbp/core'
import { fakePorts, fakeStore } from '@cbp/core/testing'
import * as fc from 'fast-check'
import { err, okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { type EventStream, openStream } from '../../tests/event-stream.ts'
import { openApp, openServer, put, type TestServer, token } from '../../tests/support.ts'
import { uuidSource } from '../assembly/platform/identity.ts'
import { systemClock } from '../assembly/platform/system-clock.ts'

type Options = Parameters<typeof openServer>[0]

async function bearer(claims = {}): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await token(claims)}` }
}

async function watch(server: TestServer, query = '', headers: Record<string, string> = {}): Promise<EventStream> {
  return openStream(`${server.url}/config/watch${query}`, { ...(await bearer()), ...headers })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const key = (index: number): string => `/config/payments/k${index}`

describe('a watch', () => {
  it('begins at once, uncached and unbuffered, with the head as its first id', async () => {
    const server = await openServer()
    await put(server.call, key(1), 1)
    const stream = await watch(server)
    expect(stream.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': expect.any(String),
    })
    expect(await stream.next()).toEqual({ event: 'heartbeat', id: 'e1.1', data: { revision: 1 } })
    stream.cut()
  })

  it('tells each revision with its cursor', async () => {
    const server = await openServer()
    const stream = await watch(server)
    await put(server.call, `${key(1)}?scope=/production`, 1)
    expect(await stream.nextOf('change')).toEqual({
      event: 'change',
      id: 'e1.1',
      data: { revision: 1, changes: [{ component: 'payments', key: 'k1', scope: '/production', version: 1, op: 'put' }] },
    })
    stream.cut()
  })

  it('tells many watchers in slices, each everything once and in order', async () => {
    const server = await openServer()
    const streams = await Promise.all(Array.from({ length: 150 }, () => watch(server, '?since=0')))
    for (let index = 1; index <= 5; index += 1) await put(server.call, key(index), 1)
    for (const stream of streams) {
      const revisions: unknown[] = []
      while (revisions.length < 5) revisions.push((await stream.nextOf('change'))?.data.revision)
      expect(revisions).toEqual([1, 2, 3, 4, 5])
      stream.cut()
    }
  })

  it('selects a component, and a scope with its ancestors', async () => {
    const server = await openServer()
    const stream = await watch(server, '?component=payments&scope=/production&since=0')
    const paths = [
      '/config/security/x',
      `${key(1)}?scope=/staging`,
      `${key(2)}?scope=/production/first-cu`,
      key(3),
      `${key(4)}?scope=/production`,
    ]
    for (const path of paths) await put(server.call, path, 1)
    const seen = [await stream.nextOf('change'), await stream.nextOf('change')].map((event) => event?.data.revision)
    expect(seen).toEqual([4, 5])
    stream.cut()
  })

  it('lets Last-Event-ID count before since', async () => {
    const server = await openServer()
    for (const index of [1, 2, 3]) await put(server.call, key(index), 1)
    const stream = await watch(server, '?since=e1.0', { 'last-event-id': 'e1.2' })
    expect((await stream.nextOf('change'))?.id).toBe('e1.3')
    stream.cut()
  })

  it('beats with the head when nothing happens', async () => {
    const server = await openServer({ heartbeatMs: 20 })
    const stream = await watch(server, '?component=security&since=0')
    await put(server.call, key(1), 1)
    for (let beat = await stream.next(); ; beat = await stream.next()) {
      expect(beat?.event).toBe('heartbeat')
      if (beat?.id === 'e1.1') break
    }
    stream.cut()
  })

  it('keeps beating while all that happens is hidden from its token', async () => {
    const server = await openServer({ heartbeatMs: 30 })
    const stream = await openStream(`${server.url}/config/watch`, await bearer({ cbp_scopes: ['/production'] }))
    let writing = true
    const writes = (async () => {
      for (let index = 0; writing; index += 1) {
        await put(server.call, `${key(index)}?scope=/staging`, 1)
        await pause(5)
      }
    })()
    for (let beats = 0; beats < 3; beats += 1) expect((await stream.next())?.event).toBe('heartbeat')
    writing = false
    await writes
    stream.cut()
  })

  it('refuses a cursor that is gone before the stream begins', async () => {
    const server = await openServer()
    const stream = await watch(server, '?since=other.1')
    expect([stream.response.statusCode, stream.response.headers['content-type']]).toEqual([410, 'application/problem+json'])
    stream.cut()
  })

  it.each([
    ['gone', { kind: 'cursor-gone', cursor: 'e1.1', head: { epoch: 'e2', revision: 0 } }],
    ['bye', { kind: 'store-unavailable', reason: 'away' }],
  ] as const)('ends with %s when that happens later', async (farewell, error) => {
    const core = createCore(fakePorts({ clock: systemClock, ids: uuidSource, ...fakeStore(systemClock) }))
    const broken = { next: async () => err(error), close: () => {}, cursor: () => ({ epoch: 'e1', revision: 1 }) } as unknown as ConfigWatch
    const server = await openServer({ core: { ...core, config: { ...core.config, watch: () => okAsync(broken) } } })
    const stream = await watch(server, '?since=e1.1')
    expect((await stream.next())?.event).toBe(farewell)
    expect(await stream.next()).toBeNull()
  })

  it('ends with its token', async () => {
    const server = await openServer()
    const exp = Math.floor(Date.now() / 1000) + 1
    const stream = await openStream(`${server.url}/config/watch`, await bearer({ exp }))
    expect((await stream.nextOf('bye'))?.data).toEqual({ reason: 'token-expired' })
    expect(await stream.next()).toBeNull()
  })

  it('is told of a shutdown, and leaves nothing unsaid', async () => {
    const server = await openServer()
    const streams = await Promise.all([watch(server, '?since=0'), watch(server, '?since=0')])
    for (const index of [1, 2, 3]) await put(server.call, key(index), 1)
    const closing = server.listening.close()
    for (const stream of streams) {
      const events: string[] = []
      for (let event = await stream.next(); event !== null; event = await stream.next()) events.push(`${event.event} ${event.id}`)
      expect(events).toEqual(['change e1.1', 'change e1.2', 'change e1.3', 'bye e1.3'])
    }
    await closing
  })

  it('is forgotten when its client leaves', async () => {
    const server = await openServer({ heartbeatMs: 10 })
    const stream = await watch(server)
    expect(server.deps.lifecycle.watchers()).toBe(1)
    stream.cut()
    while (server.deps.lifecycle.watchers() > 0) await pause(5)
  })

  it('asks nothing more while its client takes nothing, and then goes on where it was', async () => {
    const ports = fakePorts({ clock: systemClock, ids: uuidSource, ...fakeStore(systemClock, 'e1') })
    const core = createCore(ports)
    let asked = 0
    const countingNext =
      (inner: ConfigWatch): ConfigWatch['next'] =>
      (waitMs) => {
        asked += 1
        return inner.next(waitMs)
      }
    const counting: Options = {
      core: {
        ...core,
        config: {
          ...core.config,
          watch: (selection, since) => core.config.watch(selection, since).map((inner) => ({ ...inner, next: countingNext(inner) })),
        },
      },
      heartbeatMs: 60_000,
    }
    // Far more than the buffers of both sockets hold.
    const total = 20_000
    const scope = `/${'a'.repeat(60)}/${'b'.repeat(60)}/${'c'.repeat(60)}/${'d'.repeat(60)}`
    const caller = { client: 'c', requestId: 'r', traceparent: null }
    for (let index = 0; index < total; index += 1) {
      const at = { component: `c${index}${'e'.repeat(50)}`, key: 'k'.repeat(128), scope } as unknown as Address
      await core.config.put({ ...at, value: 1, reason: 'x', precondition: { kind: 'absent' }, caller })
    }
    const server = await openServer(counting)
    const socket = connect({ host: '127.0.0.1', port: server.listening.port })
    socket.pause()
    const { authorization } = await bearer()
    socket.write(`GET /config/watch?since=0 HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`)
    let stalledAt = -1
    while (stalledAt !== asked || asked === 0) {
      stalledAt = asked
      await pause(100)
    }
    expect(stalledAt).toBeLessThan(total / 500)
    let text = ''
    let last = 0
    socket.setEncoding('utf8')
    for await (const chunk of socket) {
      text += chunk
      let read = 0
      for (const id of text.matchAll(/\nid: e1\.(\d+)\n/g)) {
        expect(Number(id[1])).toBe(last + 1)
        last = Number(id[1])
        read = id.index + id[0].length
      }
      text = text.slice(read)
      if (last === total) break
    }
    expect(last).toBe(total)
  }, 30_000)

  it('that reconnects at will sees every revision exactly once, in order (L6)', async () => {
    const server = await openServer({ heartbeatMs: 5 })
    let revision = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ writes: fc.nat(6), reads: fc.nat(8) }), { minLength: 1, maxLength: 8 }), async (rounds) => {
        const from = revision
        let cursor = `e1.${from}`
        const seen: number[] = []
        const placeOf = (): number => Number(cursor.slice(3))
        const readTo = async (stream: EventStream, place: number): Promise<void> => {
          while (placeOf() < place) {
            const event = await stream.next()
            if (event === null) return
            if (event.event === 'change') seen.push(event.data.revision)
            cursor = event.id
          }
        }
        for (const { writes, reads } of rounds) {
          const stream = await watch(server, '', { 'last-event-id': cursor })
          const end = Math.min(placeOf() + reads, revision + writes)
          const written = (async () => {
            for (let index = 0; index < writes; index += 1) {
              revision += 1
              await put(server.call, `/config/payments/p${revision}`, 1)
            }
          })()
          await readTo(stream, end)
          stream.cut()
          await written
        }
        const stream = await watch(server, `?since=${cursor}`)
        await readTo(stream, revision)
        stream.cut()
        expect(seen).toEqual(Array.from({ length: revision - from }, (_, index) => from + index + 1))
      }),
      { numRuns: 15 },
    )
  })
})

describe('a long poll', () => {
  it('answers at once when there is something', async () => {
    const { call } = await openApp()
    await put(call, key(1), 1)
    expect(await (await call('GET', '/config/changes?since=e1.0&wait=55')).json()).toMatchObject({
      cursor: 'e1.1',
      units: [{ revision: 1 }],
    })
  })

  it('waits for a change', async () => {
    const server = await openServer()
    const waiting = fetch(`${server.url}/config/changes?since=e1.0&wait=55`, { headers: await bearer() })
    await put(server.call, key(1), 1)
    expect(await (await waiting).json()).toMatchObject({ cursor: 'e1.1', units: [{ revision: 1 }] })
  })

  it('answers with no units when its time is over', async () => {
    const { call } = await openServer()
    expect(await (await call('GET', '/config/changes?wait=1')).json()).toEqual({ cursor: 'e1.0', units: [] })
  })

  it('answers at a shutdown', async () => {
    const server = await openServer()
    const waiting = fetch(`${server.url}/config/changes?wait=55`, { headers: await bearer() })
    while (server.deps.lifecycle.watchers() === 0) await pause(5)
    await server.listening.close()
    expect((await waiting).status).toBe(200)
  })
})
