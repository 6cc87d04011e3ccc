import type { DeadLetter, Transaction, UnitId, Uuid } from '@cbp/core'
import { fakeStore } from '@cbp/core/testing'
import { okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { createdPayment } from '../../tests/payments.ts'
import { openApp, problemOf, put, type TestApp, token } from '../../tests/support.ts'
import { systemClock, uuidSource } from '../assembly/platform/index.ts'

type Body = Record<string, unknown> & Readonly<{ id: string }>
type Page = Readonly<{ items: readonly Body[]; nextCursor: string | null }>

const unknown = '01890a5d-ac96-774b-bcce-b302099a8057'
const eventId = '01890a5d-ac96-774b-bcce-b302099a8058' as Uuid

async function bodyOf<T = Body>(response: Response): Promise<T> {
  return (await response.json()) as T
}

function letterOf(id: Uuid, consumer: string): DeadLetter {
  return {
    id,
    consumer,
    event: {
      id: eventId,
      stream: 'system' as DeadLetter['event']['stream'],
      sequence: 1,
      event: {
        type: 'SYSTEM_ALERT',
        payload: { component: 'payments', details: {}, severity: 'WARNING', timestamp: '2026-01-31T09:00:00.000Z' },
      },
      occurredAt: 1_769_850_000_000,
      traceparent: null,
    },
    reason: 'no such table',
    failures: 5,
    deadAt: systemClock.now(),
    state: 'dead',
    settled: null,
  }
}

/** The app over a store that holds dead letters of these consumers. */
async function openWith(...consumers: readonly string[]): Promise<TestApp & Readonly<{ ids: readonly Uuid[] }>> {
  const store = fakeStore(systemClock, 'e1')
  const ids = consumers.map(() => uuidSource.next())
  const unit = uuidSource.next() as unknown as UnitId
  const record = (tx: Transaction): ReturnType<Parameters<typeof store.transactions.attempt>[1]> => {
    for (const [index, consumer] of consumers.entries()) tx.deadLetters.insert(letterOf(ids[index] as Uuid, consumer))
    return okAsync(null) as never
  }
  if (consumers.length > 0) (await store.transactions.attempt(unit, record))._unsafeUnwrap()
  return { ...(await openApp({ ports: store })), ids }
}

describe('dead letters', () => {
  it('are listed, by consumer and state, and shown', async () => {
    const { call, ids } = await openWith('webhooks', 'search', 'webhooks')
    const listed = async (query: string): Promise<Page> => bodyOf(await call('GET', `/events/dead-letters?${query}`))
    const first = await listed('consumer=webhooks&limit=1')
    expect(first.items.map(({ id }) => id)).toEqual([ids[2]])
    expect((await listed(`consumer=webhooks&cursor=${first.nextCursor}`)).items.map(({ id }) => id)).toEqual([ids[0]])
    expect((await listed('state=replayed')).items).toEqual([])
    expect(await bodyOf(await call('GET', `/events/dead-letters/${ids[1]}`))).toMatchObject({
      id: ids[1],
      consumer: 'search',
      event: { id: eventId, stream: 'system', sequence: 1, type: 'SYSTEM_ALERT', payload: { component: 'payments' } },
      reason: 'no such table',
      state: 'dead',
      settled: null,
    })
  })

  it('are replayed once', async () => {
    const { call, ids } = await openWith('webhooks')
    const replayed = await call('POST', `/events/dead-letters/${ids[0]}/replay`)
    expect([replayed.status, await bodyOf(replayed)]).toMatchObject([
      200,
      { state: 'replayed', settled: { actor: 'https://issuer.test|tester' } },
    ])
    expect(await problemOf(await call('POST', `/events/dead-letters/${ids[0]}/replay`))).toMatchObject({
      status: 409,
      code: 'dead-letter-settled',
      current: { id: ids[0], state: 'replayed' },
    })
  })

  it('are replayed no faster than ten a second', async () => {
    const { call, ids } = await openWith(...Array.from({ length: 25 }, () => 'webhooks'))
    const answers = await Promise.all(ids.map((id) => call('POST', `/events/dead-letters/${id}/replay`)))
    const slowed = answers.filter(({ status }) => status === 429)
    expect(slowed.length).toBeGreaterThan(0)
    for (const answer of slowed) expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  })

  it('are discarded with a reason', async () => {
    const { call, ids } = await openWith('webhooks')
    expect(await problemOf(await call('DELETE', `/events/dead-letters/${ids[0]}`))).toMatchObject({
      status: 400,
      errors: [{ pointer: '#/query/reason', code: 'required' }],
    })
    const discarded = await call('DELETE', `/events/dead-letters/${ids[0]}?reason=not+needed`)
    expect([discarded.status, await bodyOf(discarded)]).toMatchObject([200, { state: 'discarded', settled: { reason: 'not needed' } }])
  })

  it('wait for a consumer that does not run here', async () => {
    const { call, ids } = await openWith('search')
    expect(await problemOf(await call('POST', `/events/dead-letters/${ids[0]}/replay`))).toMatchObject({
      status: 409,
      code: 'unknown-consumer',
    })
  })
})

describe('streams', () => {
  it('are listed by name with their backlog', async () => {
    const { call } = await openApp()
    await put(call, '/config/payments/a', 1)
    await put(call, '/config/payments/b', 1)
    const { id } = await createdPayment(call)
    const first: Page = await bodyOf(await call('GET', '/events/streams?limit=1'))
    expect(first.items).toEqual([{ id: 'config-payments', last: 2, confirmed: 0, backlog: 2, refusals: 0, blocked: null }])
    const rest: Page = await bodyOf(await call('GET', `/events/streams?limit=1&cursor=${first.nextCursor}`))
    expect([rest.items[0]?.id, rest.nextCursor]).toEqual([`payment-${id}`, null])
    expect((await bodyOf<Page>(await call('GET', '/events/streams?blocked=true'))).items).toEqual([])
    expect(await bodyOf(await call('GET', `/events/streams/payment-${id}`))).toMatchObject({ last: 1, backlog: 1 })
  })

  it('are shown blocked, and go on when unblocked', async () => {
    const store = fakeStore(systemClock, 'e1')
    const { call } = await openApp({ ports: store })
    await put(call, '/config/payments/a', 1)
    const [leased] = (await store.outbox.lease({ owner: 'x', limit: 1, leaseMs: 1_000, eventLimit: 1 }))._unsafeUnwrap()
    const report = {
      kind: 'blocked',
      stream: leased?.stream as never,
      fence: leased?.fence ?? 0,
      sequence: 1,
      reason: 'too large',
    } as const
    await store.outbox.record([report])
    expect((await bodyOf<Page>(await call('GET', '/events/streams?blocked=true'))).items).toMatchObject([
      { id: 'config-payments', blocked: { sequence: 1, reason: 'too large' } },
    ])
    const unblocked = await call('POST', '/events/streams/config-payments/unblock')
    expect([unblocked.status, await bodyOf(unblocked)]).toMatchObject([200, { id: 'config-payments', blocked: null }])
  })
})

describe('events refuse', () => {
  it.each<[string, string, number, string]>([
    ['GET', `/events/dead-letters/${unknown}`, 404, 'dead-letter-not-found'],
    ['POST', `/events/dead-letters/${unknown}/replay`, 404, 'dead-letter-not-found'],
    ['DELETE', `/events/dead-letters/${unknown}?reason=x`, 404, 'dead-letter-not-found'],
    ['DELETE', `/events/dead-letters/${unknown}?reason=+`, 400, 'invalid-parameter'],
    ['GET', '/events/dead-letters/x', 400, 'invalid-parameter'],
    ['GET', '/events/dead-letters?state=lost', 400, 'invalid-parameter'],
    ['GET', '/events/dead-letters?cursor=x', 400, 'invalid-parameter'],
    ['GET', '/events/streams/none', 404, 'stream-not-found'],
    ['POST', '/events/streams/none/unblock', 404, 'stream-not-found'],
    ['GET', `/events/streams/${'x'.repeat(201)}`, 400, 'invalid-parameter'],
    ['GET', '/events/streams?blocked=yes', 400, 'invalid-parameter'],
    ['GET', '/events/streams?cursor=x', 400, 'invalid-parameter'],
  ])('%s %s', async (method, path, status, code) => {
    const { call } = await openApp()
    expect(await problemOf(await call(method, path))).toMatchObject({ status, code })
  })

  it.each([
    ['GET', '/events/dead-letters', 'events:write'],
    ['POST', `/events/dead-letters/${unknown}/replay`, 'events:read'],
    ['DELETE', `/events/dead-letters/${unknown}?reason=x`, 'events:read'],
    ['GET', '/events/streams', 'payments:read clients:all'],
    ['POST', '/events/streams/system/unblock', 'events:read'],
  ])('%s %s of a token with %s only', async (method, path, scope) => {
    const { call } = await openApp()
    expect((await call(method, path, { headers: { authorization: `Bearer ${await token({ scope })}` } })).status).toBe(403)
  })
})
