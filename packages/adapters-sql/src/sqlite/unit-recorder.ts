import type {
  Address,
  ConfigTransaction,
  EntryVersion,
  EventDraft,
  StoreUnavailable,
  Transaction,
  VersionDraft,
  VersionNumber,
} from '@cbp/core'
import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import { versionColumns, versionFromColumns } from '../config/version-rows.ts'
import type { Connection } from './connection.ts'
import { type RecordTables, recordTables } from './record-tables.ts'
import { unavailable } from './sqlite-errors.ts'
import { type RecordedRow, type RowState, unitRecords } from './unit-records.ts'
import { type UnitWebhookReads, unitWebhookReads } from './unit-webhook-reads.ts'

/** What the store knows of one address, so that an append needs no further look. */
export type KnownEntry = Readonly<{ at: Address; entryId: number; version: number; live: boolean }>

/** What one unit has read and recorded, and whether it still may. */
export type Recording = {
  readonly drafts: VersionDraft[]
  readonly events: EventDraft[]
  readonly known: KnownEntry[]
  /** What is known of the rows under their names, and what was recorded of them, in this order. */
  readonly rows: Map<string, RowState>
  readonly records: RecordedRow[]
  ended: boolean
}

export function newRecording(): Recording {
  return { drafts: [], events: [], known: [], rows: new Map(), records: [], ended: false }
}

export type UnitReads = Readonly<{
  tables: RecordTables
  webhooks: UnitWebhookReads
  newest(at: Address, known: KnownEntry[]): EntryVersion | null
  version(at: Address, version: VersionNumber): EntryVersion | null
}>

export function unitReads(connection: Connection): UnitReads {
  const atAddress = `FROM entries e JOIN versions v ON v.entry_id = e.entry_id
    WHERE e.component = @component AND e.scope = @scope AND e.[key] = @key`
  const newest = connection.prepare(`SELECT e.entry_id, ${versionColumns} ${atAddress} ORDER BY v.version DESC LIMIT 1`)
  const numbered = connection.prepare(`SELECT ${versionColumns} ${atAddress} AND v.version = @version`)
  return {
    tables: recordTables(connection),
    webhooks: unitWebhookReads(connection),
    newest(at, known) {
      const columns = newest.first(at.component, at.scope, at.key)
      if (columns === null) return null
      const version = versionFromColumns(at, columns, 1)
      known.push({ at, entryId: columns[0] as number, version: version.version, live: version.op === 'put' })
      return version
    },
    version(at, version) {
      const columns = numbered.first(at.component, at.scope, at.key, version)
      return columns === null ? null : versionFromColumns(at, columns, 0)
    },
  }
}

export function isSameAddress(left: Address, right: Address): boolean {
  return left.key === right.key && left.scope === right.scope && left.component === right.component
}

/** One name for an address; no part of it can hold a space. */
export function addressName({ component, key, scope }: Address): string {
  return `${component} ${key} ${scope}`
}

/** What a unit's work is given: reads go to the shared transaction, writes are only noted. */
export function unitTransaction(reads: UnitReads, recording: Recording): Transaction {
  function read<T>(find: () => T): ResultAsync<T, StoreUnavailable> {
    requireOpen(recording)
    try {
      return okAsync(find())
    } catch (error) {
      return errAsync(unavailable(error))
    }
  }
  const records = unitRecords(recording, read, requireOpen)
  const { tables, webhooks } = reads
  const config: ConfigTransaction = {
    newest: (at) => read(() => reads.newest(at, recording.known)),
    version: (at, version) => read(() => reads.version(at, version)),
    append(draft) {
      requireOpen(recording)
      if (recording.drafts.some((each) => isSameAddress(each, draft))) {
        throw new Error(`two versions of ${addressName(draft)} in one unit`)
      }
      recording.drafts.push(draft)
    },
  }
  return {
    config,
    outbox: {
      append(draft) {
        requireOpen(recording)
        recording.events.push(draft)
      },
    },
    payments: records(tables.payments),
    paymentReferences: records(tables.paymentReferences),
    paymentHistory: records(tables.paymentHistory),
    discrepancies: records(tables.discrepancies),
    idempotencyKeys: records(tables.idempotencyKeys),
    inbox: records(tables.inbox),
    deadLetters: records(tables.deadLetters),
    receivedWebhooks: records(tables.receivedWebhooks),
    subscriptions: records(tables.subscriptions),
    lanes: records(tables.lanes),
    deliveries: records(tables.deliveries),
    apiKeys: records(tables.apiKeys),
    apiKeyUses: records(tables.apiKeyUses),
    dataKeys: records(tables.dataKeys),
    auditRecords: records(tables.auditRecords),
    auditHead: records(tables.auditHead),
    subscribers: (audience) => read(() => webhooks.subscribers(audience)),
    nextDue: (subscriptionId) => read(() => webhooks.nextDue(subscriptionId)),
    pendingDeliveries: (subscriptionId, limit) => read(() => webhooks.pendingDeliveries(subscriptionId, limit)),
  }
}

function requireOpen({ ended }: Recording): void {
  if (ended) throw new Error('the unit of work has ended')
}
