import {
  type Address,
  type ConfigTransaction,
  type EntryVersion,
  type EventDraft,
  type Instant,
  type Records,
  type StoreUnavailable,
  storeUnavailable,
  type Transaction,
  type VersionDraft,
} from '@cbp/core'
import { err, ok, okAsync, type Result, ResultAsync } from 'neverthrow'
import { versionColumns, versionFromRow } from '../config/version-rows.ts'
import type { Rows, SqlRow, SqlValue, Statement } from '../sql/engine.ts'
import { recordCodec } from '../sql/record-kind.ts'
import { deliveryKind, subscriptionKind } from '../webhooks/webhook-kinds.ts'
import { webhookReads } from '../webhooks/webhook-statements.ts'
import { mssqlDialect } from './mssql-dialect.ts'
import { failureOf } from './mssql-errors.ts'
import { type RecordTable, recordTables } from './record-tables.ts'
import type { UnitSession } from './unit-session.ts'

/** What a unit knows of the row under one key; `undefined` where it has not looked. */
export type RowState = { before: readonly SqlValue[] | null | undefined; isRecorded: boolean }

export type AnyTable = RecordTable<unknown, unknown>

export type RecordedRow = Readonly<{ table: AnyTable; op: 'insert' | 'update'; key: readonly SqlValue[]; state: RowState; row: unknown }>

export type KnownRow = Readonly<{ table: AnyTable; key: readonly SqlValue[]; state: RowState }>

/** What one unit has read and recorded, and whether it still may. */
export type Recording = {
  readonly drafts: VersionDraft[]
  readonly events: EventDraft[]
  /** Addresses at which it has found nothing. */
  readonly absent: Address[]
  readonly rows: Map<string, KnownRow>
  readonly records: RecordedRow[]
  /** The error of the driver that ended a read; the transaction is gone with it. */
  failure: Readonly<{ error: unknown }> | null
  ended: boolean
}

export function newRecording(): Recording {
  return { drafts: [], events: [], absent: [], rows: new Map(), records: [], failure: null, ended: false }
}

const texts = {
  // Two statements: under READ_COMMITTED_SNAPSHOT a join would read versions as of before it waited for the lock.
  newest: `DECLARE @entry bigint;
    SELECT @entry = entry_id FROM entries ${mssqlDialect.forUpdate} WHERE component = @component AND scope = @scope AND [key] = @key;
    SELECT TOP (1) ${versionColumns} FROM versions v WITH (READCOMMITTEDLOCK) WHERE v.entry_id = @entry ORDER BY v.version DESC`,
  numbered: `SELECT ${versionColumns} FROM entries e JOIN versions v ON v.entry_id = e.entry_id
    WHERE e.component = @component AND e.scope = @scope AND e.[key] = @key AND v.version = @version`,
  ...webhookReads(mssqlDialect),
} as const

const subscriptions = recordCodec(subscriptionKind)
const deliveries = recordCodec(deliveryKind)

type Ask = <T>(statements: readonly Statement[], shape: (rows: Rows, more: Rows) => T) => ResultAsync<T, StoreUnavailable>

/** What a unit's work is given: reads go to its transaction, writes are only noted. */
export function unitTransaction(session: UnitSession, recording: Recording): Transaction {
  function ask<T>(statements: readonly Statement[], shape: (rows: Rows, more: Rows) => T): ResultAsync<T, StoreUnavailable> {
    requireOpen(recording)
    return new ResultAsync(answer(session, recording, statements, shape))
  }
  const records = recordsOf(recording, ask)
  return {
    config: configTransaction(recording, ask),
    outbox: {
      append(draft) {
        requireOpen(recording)
        recording.events.push(draft)
      },
    },
    payments: records(recordTables.payments),
    paymentReferences: records(recordTables.paymentReferences),
    paymentHistory: records(recordTables.paymentHistory),
    discrepancies: records(recordTables.discrepancies),
    idempotencyKeys: records(recordTables.idempotencyKeys),
    inbox: records(recordTables.inbox),
    deadLetters: records(recordTables.deadLetters),
    receivedWebhooks: records(recordTables.receivedWebhooks),
    subscriptions: records(recordTables.subscriptions),
    lanes: records(recordTables.lanes),
    deliveries: records(recordTables.deliveries),
    apiKeys: records(recordTables.apiKeys),
    apiKeyUses: records(recordTables.apiKeyUses),
    dataKeys: records(recordTables.dataKeys),
    auditRecords: records(recordTables.auditRecords),
    auditHead: records(recordTables.auditHead),
    ...webhookQueries(recording, ask),
  }
}

function configTransaction(recording: Recording, ask: Ask): ConfigTransaction {
  return {
    newest: (at) =>
      ask([{ sql: texts.newest, parameters: addressOf(at) }], ([row]): EntryVersion | null => {
        if (row === undefined) recording.absent.push(at)
        return row === undefined ? null : versionFromRow(at, row)
      }),
    version: (at, version) =>
      ask([{ sql: texts.numbered, parameters: { ...addressOf(at), version } }], ([row]) =>
        row === undefined ? null : versionFromRow(at, row),
      ),
    append(draft) {
      requireOpen(recording)
      if (recording.drafts.some((each) => addressName(each) === addressName(draft))) {
        throw new Error(`two versions of ${addressName(draft)} in one unit`)
      }
      recording.drafts.push(draft)
    },
  }
}

type RecordsOf = <Row, KeyName extends keyof Row>(table: RecordTable<Row, Pick<Row, KeyName>>) => Records<Row, KeyName>

function recordsOf(recording: Recording, ask: Ask): RecordsOf {
  return <Row, KeyName extends keyof Row>(table: RecordTable<Row, Pick<Row, KeyName>>): Records<Row, KeyName> => {
    const known = table as unknown as AnyTable
    function record(op: RecordedRow['op'], row: Row): void {
      requireOpen(recording)
      const key = table.keyOf(row)
      const { state } = knownRow(recording, known, key)
      if (op === 'update' && table.isAppendOnly) throw new Error(`${table.kind} ${key.join(' ')} cannot be updated: it is kept as it is`)
      if (state.isRecorded) throw new Error(`${table.kind} ${key.join(' ')} is recorded twice in one unit`)
      state.isRecorded = true
      recording.records.push({ table: known, op, key, state, row })
    }
    return {
      find(of) {
        requireOpen(recording)
        const key = table.keyOf(of)
        const { state } = knownRow(recording, known, key)
        // It stays as read, so it need not be read again.
        if (state.before !== undefined) return okAsync(state.before === null ? null : table.decode(state.before))
        return ask([table.find(key)], ([row]) => {
          const found = row === undefined ? null : valuesOf(known, row)
          state.before = found
          return found === null ? null : table.decode(found)
        })
      },
      insert: (row) => record('insert', row),
      update: (row) => record('update', row),
    }
  }
}

/** Rows that are asked for because they are about to be updated come along locked, and need not be found one by one. */
function webhookQueries(recording: Recording, ask: Ask): Pick<Transaction, 'subscribers' | 'nextDue' | 'pendingDeliveries'> {
  return {
    subscribers({ paymentId }) {
      const [sql, lanes] =
        paymentId === null ? [texts.subscribersToSystem, texts.lanesOfSystem] : [texts.subscribersToPayment, texts.lanesOfPayment]
      const parameters = paymentId === null ? {} : { paymentId }
      return ask(
        [
          { sql, parameters },
          { sql: lanes, parameters },
        ],
        (rows, more) => {
          noteFound(recording, recordTables.lanes as unknown as AnyTable, more)
          return rows.map(subscriptions.decodeRow)
        },
      )
    },
    nextDue: (subscriptionId) =>
      ask([{ sql: texts.nextDue, parameters: { subscriptionId } }], ([row]) => (row?.['due_at'] ?? null) as Instant | null),
    pendingDeliveries: (subscriptionId, limit) =>
      ask([{ sql: texts.pendingDeliveries, parameters: { subscriptionId, limit } }], (rows) => {
        noteFound(recording, recordTables.deliveries as unknown as AnyTable, rows)
        return rows.map(deliveries.decodeRow)
      }),
  }
}

function noteFound(recording: Recording, table: AnyTable, rows: Rows): void {
  for (const row of rows) {
    const values = valuesOf(table, row)
    const { state } = knownRow(recording, table, values.slice(0, table.keyLength))
    if (state.before === undefined) state.before = values
  }
}

async function answer<T>(
  session: UnitSession,
  recording: Recording,
  statements: readonly Statement[],
  shape: (rows: Rows, more: Rows) => T,
): Promise<Result<T, StoreUnavailable>> {
  try {
    const [rows = [], more = []] = await session.ask(statements)
    return ok(shape(rows, more))
  } catch (error) {
    const failure = failureOf(error)
    if (failure === null) throw error
    recording.failure ??= { error }
    return err(storeUnavailable(failure.reason))
  }
}

/** One name for an address; no part of it can hold a space. */
export function addressName({ component, key, scope }: Address): string {
  return `${component} ${key} ${scope}`
}

function addressOf({ component, scope, key }: Address): Readonly<Record<'component' | 'scope' | 'key', string>> {
  return { component, scope, key }
}

export function valuesOf({ columns }: AnyTable, row: SqlRow): readonly SqlValue[] {
  return columns.map((name) => row[name] as SqlValue)
}

function knownRow({ rows }: Recording, table: AnyTable, key: readonly SqlValue[]): KnownRow {
  const name = `${table.kind} ${JSON.stringify(key)}`
  let known = rows.get(name)
  if (known === undefined) {
    known = { table, key, state: { before: undefined, isRecorded: false } }
    rows.set(name, known)
  }
  return known
}

function requireOpen({ ended }: Recording): void {
  if (ended) throw new Error('the unit of work has ended')
}
