import type { Component, Instant, Stream } from '@cbp/core'
import type { Connection, PreparedStatement } from './connection.ts'
import { type PaymentTallies, paymentTallies } from './payment-tallies.ts'

export type Totals = { entries: number; revision: number }

/** A stream as the transaction will leave it. */
export type StreamTail = { last: number; known: boolean; added: { first: number; occurredAt: Instant } | null }

export type Head = { revision: number; recordedAt: Instant; position: number }

/**
 * The counters, kept in memory while this process alone writes: read once, written once for each batch.
 * A batch that is rolled back, and a writer in another process, make it forget everything.
 */
export interface Ledger {
  /** At the start of a batch, under the write lock. */
  open(): void
  forget(): void
  head(): Head
  headChanged(): void
  totals(component: Component): Totals
  stream(stream: Stream): StreamTail
  readonly payments: PaymentTallies
  /** Writes what has changed; at the end of a batch. */
  save(now: Instant): void
}

const rememberedLimit = 100_000

export function ledger(connection: Connection): Ledger {
  const sql = statements(connection)
  let head: Head | null = null
  let isHeadDirty = false
  let dataVersion: unknown = null
  const components = new Map<Component, Totals>()
  const streams = new Map<Stream, StreamTail>()
  const dirtyComponents = new Set<Component>()
  const dirtyStreams = new Set<Stream>()
  const payments = paymentTallies(connection)

  function forget(): void {
    head = null
    isHeadDirty = false
    for (const map of [components, streams, dirtyComponents, dirtyStreams]) map.clear()
    payments.forget()
  }

  function readHead(): Head {
    const [revision, recordedAt] = sql.head.first() ?? []
    const [position] = sql.lastPosition.first() ?? []
    return { revision: Number(revision), recordedAt: Number(recordedAt), position: Number(position ?? 0) }
  }

  return {
    open() {
      const seen = sql.dataVersion.first()?.[0]
      // It changes when another connection has committed.
      if (seen !== dataVersion) forget()
      dataVersion = seen
      for (const map of [components, streams]) if (map.size > rememberedLimit) map.clear()
    },
    forget,
    head() {
      head ??= readHead()
      return head
    },
    headChanged() {
      isHeadDirty = true
    },
    totals(component) {
      dirtyComponents.add(component)
      return remembered(components, component, () => {
        const [count, revision] = sql.totals.first(component) ?? []
        return { entries: Number(count ?? 0), revision: Number(revision ?? 0) }
      })
    },
    stream(stream) {
      dirtyStreams.add(stream)
      return remembered(streams, stream, () => {
        const last = sql.stream.first(stream)?.[0]
        return { last: Number(last ?? 0), known: last !== undefined, added: null }
      })
    },
    payments,
    save(now) {
      payments.save()
      if (isHeadDirty && head !== null) sql.saveHead.run(head.revision, head.recordedAt)
      isHeadDirty = false
      for (const component of dirtyComponents) saveTotals(sql, component, components.get(component))
      for (const stream of dirtyStreams) saveStream(sql, stream, streams.get(stream), now)
      dirtyComponents.clear()
      dirtyStreams.clear()
    },
  }
}

type Statements = Readonly<Record<keyof ReturnType<typeof texts>, PreparedStatement>>

function texts() {
  return {
    dataVersion: 'PRAGMA data_version',
    head: 'SELECT revision, recorded_at FROM store_head',
    lastPosition: 'SELECT MAX(position) FROM versions',
    saveHead: 'UPDATE store_head SET revision = @revision, recorded_at = @recordedAt',
    totals: 'SELECT entries, revision FROM component_totals WHERE component = @component',
    updateTotals: 'UPDATE component_totals SET entries = @entries, revision = @revision WHERE component = @component',
    addTotals: 'INSERT INTO component_totals (entries, revision, component) VALUES (@entries, @revision, @component)',
    stream: 'SELECT last_sequence FROM streams WHERE stream = @stream',
    updateStream: 'UPDATE streams SET last_sequence = @last WHERE stream = @stream',
    addStream: 'INSERT INTO streams (last_sequence, stream) VALUES (@last, @stream)',
    updateReady: 'UPDATE ready_streams SET last_sequence = @last WHERE stream = @stream',
    addReady: `INSERT INTO ready_streams (last_sequence, stream, first_sequence, oldest_at, available_at)
      VALUES (@last, @stream, @first, @oldestAt, @availableAt)`,
  } as const
}

function statements(connection: Connection): Statements {
  const prepared = Object.entries(texts()).map(([name, sql]) => [name, connection.prepare(sql)])
  return Object.fromEntries(prepared) as Statements
}

function saveTotals(sql: Statements, component: Component, totals: Totals | undefined): void {
  if (totals === undefined) return
  const saved = sql.updateTotals.run(totals.entries, totals.revision, component)
  if (saved.changes === 0) sql.addTotals.run(totals.entries, totals.revision, component)
}

function saveStream(sql: Statements, stream: Stream, tail: StreamTail | undefined, now: Instant): void {
  if (tail === undefined || tail.added === null) return
  if (tail.known) sql.updateStream.run(tail.last, stream)
  else sql.addStream.run(tail.last, stream)
  const { first, occurredAt } = tail.added
  const isReady = tail.known && sql.updateReady.run(tail.last, stream).changes !== 0
  if (!isReady) sql.addReady.run(tail.last, stream, first, occurredAt, now)
  tail.known = true
  tail.added = null
}

function remembered<Key, Value>(map: Map<Key, Value>, key: Key, read: () => Value): Value {
  const found = map.get(key)
  if (found !== undefined) return found
  const value = read()
  map.set(key, value)
  return value
}
