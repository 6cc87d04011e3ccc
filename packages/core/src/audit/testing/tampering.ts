import fc from 'fast-check'
import { okAsync } from 'neverthrow'
import type { JsonObject } from '../../kernel/json.ts'
import type { AuditHead, AuditRecord } from '../audit-record.ts'
import type { AuditStore } from '../ports/audit-store.ts'

export type StoredChain = Readonly<{ records: readonly AuditRecord[]; head: AuditHead | null }>

type Field = Exclude<keyof AuditRecord, 'number'>

/** What somebody with the database in hand may do to it; places are fractions of the chain. */
export type Tampering =
  | Readonly<{ kind: 'change'; at: number; field: Field }>
  | Readonly<{ kind: 'renumber'; at: number; by: number }>
  | Readonly<{ kind: 'swap'; at: number; with: number }>
  | Readonly<{ kind: 'rotate'; at: number; with: number }>
  | Readonly<{ kind: 'delete'; at: number }>
  | Readonly<{ kind: 'duplicate'; at: number }>
  | Readonly<{ kind: 'close-gap'; at: number }>
  | Readonly<{ kind: 'truncate'; at: number }>
  | Readonly<{ kind: 'set-head-back'; at: number }>
  | Readonly<{ kind: 'change-head' }>
  | Readonly<{ kind: 'delete-head' }>

const fields: readonly Field[] = [
  ...(['action', 'outcome', 'actor', 'subject', 'requestId', 'count', 'at', 'details', 'recordedAt', 'keyVersion', 'mac'] as const),
]
const place = fc.double({ min: 0, max: 0.999, noNaN: true })

export const anyTampering: fc.Arbitrary<Tampering> = fc.oneof(
  fc.record({ kind: fc.constant('change' as const), at: place, field: fc.constantFrom(...fields) }),
  fc.record({ kind: fc.constant('renumber' as const), at: place, by: fc.constantFrom(-1000, 1000) }),
  fc.record({ kind: fc.constant('swap' as const), at: place, with: place }),
  fc.record({ kind: fc.constant('rotate' as const), at: place, with: place }),
  ...(['delete', 'duplicate', 'close-gap', 'truncate', 'set-head-back'] as const).map((kind) =>
    fc.record({ kind: fc.constant(kind), at: place }),
  ),
  fc.constant({ kind: 'change-head' as const }),
  fc.constant({ kind: 'delete-head' as const }),
)

/** The chain as it would then be stored. */
export function tampered({ records, head }: StoredChain, tampering: Tampering): StoredChain {
  const indexOf = (at: number): number => Math.floor(at * records.length)
  const replace = (index: number, change: Partial<AuditRecord>): readonly AuditRecord[] =>
    records.map((each, place) => (place === index ? { ...each, ...change } : each))
  const numbered = (list: readonly AuditRecord[]): readonly AuditRecord[] => list.map((each, index) => ({ ...each, number: index + 1 }))
  switch (tampering.kind) {
    case 'change':
      return { records: replace(indexOf(tampering.at), changed(records[indexOf(tampering.at)] as AuditRecord, tampering.field)), head }
    case 'renumber':
      return { records: replace(indexOf(tampering.at), { number: indexOf(tampering.at) + 1 + tampering.by }), head }
    case 'swap': {
      const [left, right] = [indexOf(tampering.at), indexOf(tampering.with)]
      return { records: numbered(records.with(left, records[right] as AuditRecord).with(right, records[left] as AuditRecord)), head }
    }
    case 'rotate': {
      const taken = records[indexOf(tampering.at)] as AuditRecord
      return { records: numbered(records.toSpliced(indexOf(tampering.at), 1).toSpliced(indexOf(tampering.with), 0, taken)), head }
    }
    case 'delete':
      return { records: records.toSpliced(indexOf(tampering.at), 1), head }
    case 'duplicate':
      return { records: [...records, { ...(records[indexOf(tampering.at)] as AuditRecord), number: records.length + 1 }], head }
    case 'close-gap':
      return { records: numbered(records.toSpliced(indexOf(tampering.at), 1)), head }
    case 'truncate':
      return { records: records.slice(0, indexOf(tampering.at)), head }
    case 'set-head-back': {
      const last = records[indexOf(tampering.at)] as AuditRecord
      return { records, head: { id: 'head', number: last.number, mac: last.mac } }
    }
    case 'change-head':
      return { records, head: head === null ? null : { ...head, mac: otherMac(head.mac) } }
    case 'delete-head':
      return { records, head: null }
  }
}

function changed(record: AuditRecord, field: Field): Partial<AuditRecord> {
  switch (field) {
    case 'action':
      return { action: record.action === 'limit.hit' ? 'token.refused' : 'limit.hit' }
    case 'outcome':
      return { outcome: record.outcome === 'done' ? 'refused' : 'done' }
    case 'actor':
      return { actor: `${record.actor}x` }
    case 'subject':
      return { subject: record.subject === null ? '' : null }
    case 'requestId':
      return { requestId: record.requestId === null ? 'null' : null }
    case 'count':
    case 'at':
    case 'recordedAt':
    case 'keyVersion':
      return { [field]: record[field] + 1 }
    case 'details':
      return { details: { ...record.details, more: 1 } as JsonObject }
    case 'mac':
      return { mac: otherMac(record.mac) }
  }
}

function otherMac(mac: string): string {
  return `${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}`
}

/** A store that holds this chain and nothing else. */
export function storeOf({ records, head }: StoredChain): AuditStore {
  const sorted = records.toSorted((left, right) => left.number - right.number)
  return {
    auditRecords: (_filter, before, limit) =>
      okAsync(
        sorted
          .filter(({ number }) => before === null || number < before)
          .toReversed()
          .slice(0, limit),
      ),
    auditRecordsAfter: (after, limit) => okAsync(sorted.filter(({ number }) => number > after).slice(0, limit)),
    auditHead: () => okAsync(head),
  }
}
