import fc from 'fast-check'
import type { CancelSignal } from '../../kernel/cancel.ts'
import { anyJsonObject, anyText } from '../../kernel/testing/arbitraries.ts'
import { type UnitOfWork, unitOfWork } from '../../kernel/unit-of-work.ts'
import { dataKeys } from '../../sealing/index.ts'
import { type FakePorts, fakePorts } from '../../testing/fake-ports.ts'
import { expectOk } from '../../testing/store-units.ts'
import type { Transaction } from '../../transaction.ts'
import { auditService } from '../audit-log.ts'
import type { AuditDraft } from '../audit-record.ts'
import type { AuditService, Refusal } from '../audit-service.ts'

export type AuditWorld = Readonly<{ ports: FakePorts; audit: AuditService; units: UnitOfWork<Transaction> }>

/** The audit log alone, over fakes; another instance of the same world is made of its ports. */
export function auditWorld(ports: FakePorts = fakePorts()): AuditWorld {
  const units = unitOfWork<Transaction>(ports)
  return { ports, units, audit: auditService({ ...ports, unitOfWork: units, dataKeys: dataKeys({ ...ports, unitOfWork: units }) }) }
}

export const made: Omit<AuditDraft, 'count' | 'at' | 'outcome'> = {
  action: 'api-key.created',
  actor: 'issuer|shop',
  subject: 'api-key/1',
  requestId: 'request-1',
  details: { name: 'till' },
}

export const refused: Refusal = { action: 'api-key.refused', actor: '203.0.113.7', subject: null, requestId: 'request-2', details: {} }

export const anyDraft: fc.Arbitrary<typeof made> = fc.record({
  action: fc.constantFrom('api-key.created', 'api-key.revoked', 'secret.revealed', 'webhook-secret.rotated'),
  actor: anyText,
  subject: fc.option(anyText),
  requestId: fc.option(anyText),
  details: anyJsonObject,
})

/** Each in a unit of its own. */
export async function recordAll({ audit, units }: AuditWorld, drafts: readonly (typeof made)[]): Promise<void> {
  const record = await expectOk(audit.openTrail())
  for (const draft of drafts) await expectOk(units.run((tx) => record(tx, draft)))
}

/** Keeps notes until what is due by then is written. */
export async function keepNotesFor({ audit, ports }: AuditWorld, ms: number, cancel: CancelSignal): Promise<void> {
  void audit.keepNotes(cancel)
  await ports.clock.advance(ms)
  // Many units one after another take more turns than one step of the clock gives.
  for (let turn = 0; turn < 20; turn += 1) await ports.clock.advance(0)
}
