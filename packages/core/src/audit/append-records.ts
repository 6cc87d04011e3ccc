import { err, ok, type Result } from 'neverthrow'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Mac } from '../kernel/mac.ts'
import { maskFields, maskText } from '../kernel/masking.ts'
import { storableText } from '../kernel/storable-text.ts'
import type { OpenedDataKey } from '../sealing/index.ts'
import type { AuditDraft, AuditRecord } from './audit-record.ts'
import { beforeFirst, macOf } from './chain.ts'
import type { AuditRecords } from './ports/audit-store.ts'

type Dependencies = Readonly<{ mac: Mac; clock: Clock }>

/** UTF-16 code units: what stores keep of each, a mark behind it included. */
const textLimits = { actor: 399, subject: 399, requestId: 200 } as const

/**
 * Adds records at the end of the chain. The head is what units contend for: of two that append at once, the other runs
 * again and finds the new end.
 */
export async function appendRecords(
  { mac, clock }: Dependencies,
  key: OpenedDataKey,
  tx: AuditRecords,
  drafts: readonly AuditDraft[],
): Promise<Result<void, StoreUnavailable>> {
  const found = await tx.auditHead.find({ id: 'head' })
  if (found.isErr()) return err(found.error)
  let number = found.value?.number ?? 0
  let previousMac = found.value?.mac ?? beforeFirst
  const recordedAt = clock.now()
  for (const draft of drafts) {
    number += 1
    const unsigned: Omit<AuditRecord, 'mac'> = { ...storable(draft), number, recordedAt, keyVersion: key.version }
    const record = { ...unsigned, mac: macOf(mac, key.keyBase64.reveal(), previousMac, unsigned) }
    tx.auditRecords.insert(record)
    previousMac = record.mac
  }
  const head = { id: 'head', number, mac: previousMac } as const
  if (found.value === null) tx.auditHead.insert(head)
  else tx.auditHead.update(head)
  return ok()
}

function storable({ action, outcome, actor, subject, requestId, count, at, details }: AuditDraft): AuditDraft {
  return {
    action,
    outcome,
    actor: storableText(actor, textLimits.actor),
    subject: subject === null ? null : storableText(maskText(subject), textLimits.subject),
    requestId: requestId === null ? null : storableText(maskText(requestId), textLimits.requestId),
    count,
    at,
    details: maskFields(details),
  }
}
