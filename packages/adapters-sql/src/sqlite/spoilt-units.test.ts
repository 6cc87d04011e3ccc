import type { EventDraft, Stream, Transaction, UnitId, Uuid, VersionDraft } from '@cbp/core'
import { fakeIds } from '@cbp/core/testing'
import { okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { appendNext, draft, open } from '../../tests/plain-store.ts'
import { type Parts, withParts } from '../../tests/store-parts.ts'
import { withPath } from '../../tests/temporary-store.ts'

const stream = 'config-payments' as Stream

function event(overrides: Partial<Record<keyof EventDraft, unknown>> = {}): EventDraft {
  const payload = { component: 'payments', details: {}, severity: 'INFO', timestamp: '2026-01-01T00:00:00.000Z' }
  const whole = { id: 'event', stream, event: { type: 'CONFIG_UPDATED', payload }, occurredAt: 0, traceparent: null, ...overrides }
  return whole as unknown as EventDraft
}

function payloadOf(details: unknown): Partial<EventDraft> {
  return { event: { type: 'CONFIG_UPDATED', payload: { details } } } as unknown as Partial<EventDraft>
}

function cycle(): object {
  const self: Record<string, unknown> = {}
  self['self'] = self
  return self
}

function version(overrides: Partial<Record<keyof VersionDraft, unknown>>): VersionDraft {
  return { ...draft(2), ...overrides } as VersionDraft
}

/** A unit of version 2, spoilt in one place, between two good units that each write a version and an event. */
async function besideGoodOnes({ transactions }: Parts, bad: Readonly<{ version?: VersionDraft; event?: EventDraft; unit?: unknown }>) {
  const ids = fakeIds()
  const good = (tx: Transaction) =>
    appendNext(tx).map((value) => {
      tx.outbox.append(event({ id: ids.next() }))
      return value
    })
  const spoilt = (tx: Transaction) => {
    tx.config.append(bad.version ?? draft(2))
    tx.outbox.append(event())
    tx.outbox.append(bad.event ?? event())
    return okAsync('recorded')
  }
  const [before, failed, after] = await Promise.allSettled([
    transactions.attempt(ids.next(), good),
    transactions.attempt(('unit' in bad ? bad.unit : 'spoilt') as UnitId, spoilt),
    transactions.attempt(ids.next(), good),
  ])
  return { before, failed, after }
}

const rowsLeft = {
  sql: `SELECT (SELECT COUNT(*) FROM units) AS units, (SELECT COUNT(*) FROM versions) AS versions, (SELECT COUNT(*) FROM events) AS events,
    (SELECT last_sequence FROM streams) AS last, (SELECT last_sequence FROM ready_streams) AS ready, (SELECT revision FROM store_head) AS head,
    (SELECT entries FROM component_totals) AS entries`,
  parameters: {},
}

const spoiltParts: readonly (readonly [string, Readonly<{ version?: VersionDraft; event?: EventDraft; unit?: unknown }>])[] = [
  ['an event without its traceparent', { event: event({ traceparent: undefined }) }],
  ['an event with a BigInt', { event: event(payloadOf({ amount: 1n })) }],
  ['an event with a cycle', { event: event(payloadOf(cycle())) }],
  ['an event without a payload', { event: event({ event: { type: 'CONFIG_UPDATED' } }) }],
  ['an event at no instant', { event: event({ occurredAt: Number.NaN }) }],
  ['an event on no stream', { event: event({ stream: undefined }) }],
  ['a value with a BigInt', { version: version({ value: 1n }) }],
  ['no value', { version: version({ value: undefined }) }],
  ['half a version', { version: version({ version: 1.5 }) }],
  ['a version restored from half of one', { version: version({ restoredFrom: 1.5 }) }],
  ['an operation that is none', { version: version({ op: 'rename' }) }],
  ['no reason', { version: version({ reason: undefined }) }],
  ['no unit id', { unit: undefined }],
]

describe('a unit that the store cannot hold leaves nothing, and its caller alone hears of it', () => {
  it.each(spoiltParts)('%s', (_, bad) =>
    withParts(async (parts) => {
      const { before, failed, after } = await besideGoodOnes(parts, bad)
      expect(failed).toMatchObject({ status: 'rejected', reason: expect.any(Error) })
      expect(before).toMatchObject({ value: { value: { value: 1, commit: { revision: 1 } } } })
      expect(after).toMatchObject({ value: { value: { value: 2, commit: { revision: 2 } } } })
      expect(parts.writer.all(rowsLeft)).toEqual([{ units: 2, versions: 2, events: 2, last: 2, ready: 2, head: 2, entries: 1 }])
    })(),
  )
})

describe('a unit that the database refuses halfway all the same', () => {
  it(
    'takes its batch back: the others may try again, and its caller alone hears of the defect',
    withParts(async (parts) => {
      const { transactions, writer } = parts
      writer.exec(`CREATE TEMP TRIGGER refusal BEFORE INSERT ON events WHEN new.event_id = 'event' BEGIN SELECT RAISE(ABORT, 'no'); END`)
      const { before, failed, after } = await besideGoodOnes(parts, {})
      expect(failed).toMatchObject({ status: 'rejected' })
      expect(before).toMatchObject({ value: { error: { kind: 'contended' } } })
      const again = await transactions.attempt('again' as Uuid, (tx) => appendNext(tx))
      const last = after.status === 'fulfilled' && after.value.isOk() ? 2 : 1
      expect(again._unsafeUnwrap()).toMatchObject({ value: last, commit: { revision: last } })
      expect(writer.all(rowsLeft)).toMatchObject([{ units: last, versions: last, events: last - 1, head: last }])
    }),
  )

  it(
    'does not hurt others by what cannot even be looked up',
    withParts(async ({ transactions }) => {
      const ids = fakeIds()
      const [settled, neighbour] = await Promise.allSettled([
        transactions.settle(undefined as unknown as UnitId),
        transactions.attempt(ids.next(), (tx) => appendNext(tx)),
      ])
      expect(settled.status).toBe('rejected')
      expect(neighbour).toMatchObject({ value: { value: { value: 1 } } })
    }),
  )
})

it(
  'a unit that throws on a store that was abandoned is not answered',
  withPath(async (path) => {
    const store = await open({ path })
    let told = false
    const tell = (): void => {
      told = true
    }
    store.transactions
      .attempt(fakeIds().next(), () => {
        store.abandon()
        throw new TypeError('a defect')
      })
      .then(tell, tell)
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(told).toBe(false)
  }),
)
