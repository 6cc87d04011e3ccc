import { hash } from 'node:crypto'
import { type Instant, type Instruction, type PaymentId, type RemotePayment, type RemoteStatus, timestamp, type Uuid } from '@cbp/core'
import { toInstructionBody } from '../wire.ts'
import { type Execution, executionOf, modeOf, type SandboxDelays } from './modes.ts'
import type { Row, Statements } from './sandbox-file.ts'

/** What the sandbox does with an instruction. Silence: the caller waits in vain. */
export type Verdict =
  | Readonly<{ kind: 'held'; payment: RemotePayment }>
  | Readonly<{ kind: 'refused'; reason: string }>
  | Readonly<{ kind: 'mismatch' }>
  | Readonly<{ kind: 'silence' }>

const present = `
SELECT a.attempt_id, a.payment_id, a.amount, a.currency, a.reference, c.status, c.reason
FROM attempts a JOIN changes c ON c.attempt_id = a.attempt_id
WHERE a.begins_at <= ?1 AND c.number = (SELECT MAX(number) FROM changes WHERE attempt_id = a.attempt_id AND at <= ?1)`

/** Inside one transaction: whatever it decides is decided once, also for other processes. */
export function accept(statements: Statements, instruction: Instruction, now: Instant, delays: SandboxDelays): Verdict {
  const { attemptId, metadata, notAfter } = instruction
  const [known] = statements.all('SELECT content FROM attempts WHERE attempt_id = ?', attemptId)
  if (known !== undefined) {
    if (known['content'] !== contentOf(instruction)) return { kind: 'mismatch' }
    const payment = presentState(statements, attemptId, now)
    return payment === null ? { kind: 'silence' } : { kind: 'held', payment }
  }
  const mode = modeOf(metadata)
  if (mode === null) return { kind: 'refused', reason: 'metadata.sandbox names no mode of the sandbox' }
  if (mode === 'refuses') return { kind: 'refused', reason: 'the payee cannot be paid' }
  if (now >= notAfter) return { kind: 'refused', reason: 'the attempt came too late to begin' }
  if (mode === 'times-out-before-always') return { kind: 'silence' }
  if (mode === 'times-out-before' && ignoreOnce(statements, attemptId)) return { kind: 'silence' }
  const execution = executionOf(mode, now, delays)
  if (execution.beginsAt >= notAfter) return { kind: 'silence' }
  const payment = execute(statements, instruction, execution)
  return execution.answered ? { kind: 'held', payment } : { kind: 'silence' }
}

export function presentState(statements: Statements, attemptId: Uuid, now: Instant): RemotePayment | null {
  const [row] = statements.all(`${present} AND a.attempt_id = ?2`, now, attemptId)
  return row === undefined ? null : remotePayment(row)
}

/** Every attempt of a payment that has begun. */
export function begunAttempts(statements: Statements, paymentId: PaymentId, now: Instant): readonly RemotePayment[] {
  return statements.all(`${present} AND a.payment_id = ?2 ORDER BY a.attempt_id`, now, paymentId).map(remotePayment)
}

function remotePayment(row: Row): RemotePayment {
  return {
    attemptId: row['attempt_id'] as Uuid,
    paymentId: row['payment_id'] as PaymentId,
    status: row['status'] as RemoteStatus,
    amount: Number(row['amount']),
    currency: String(row['currency']),
    reference: String(row['reference']),
    reason: row['reason'] === null ? null : String(row['reason']),
  }
}

/** Payees and users stay out of the file; that the same is instructed again can be told without them. */
function contentOf(instruction: Instruction): string {
  const { metadata, ...rest } = toInstructionBody(instruction)
  return hash('sha256', JSON.stringify([rest, Object.entries(metadata).toSorted(([left], [right]) => (left < right ? -1 : 1))]))
}

function ignoreOnce(statements: Statements, attemptId: Uuid): boolean {
  const before = statements.all('SELECT 1 FROM ignored_attempts WHERE attempt_id = ?', attemptId)
  if (before.length > 0) return false
  statements.run('INSERT INTO ignored_attempts (attempt_id) VALUES (?)', attemptId)
  return true
}

function execute(statements: Statements, instruction: Instruction, execution: Execution): RemotePayment {
  const { attemptId, paymentId, currency } = instruction
  const amount = instruction.amount + execution.amountError
  const reference = `SBX-${attemptId}`
  statements.run(
    'INSERT INTO attempts (attempt_id, payment_id, content, begins_at, amount, currency, reference) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[attemptId, paymentId, contentOf(instruction), execution.beginsAt, amount, currency, reference],
  )
  execution.changes.forEach(({ at, status, reason }, number) => {
    statements.run(
      'INSERT INTO changes (attempt_id, number, at, status, reason) VALUES (?, ?, ?, ?, ?)',
      attemptId,
      number,
      at,
      status,
      reason,
    )
  })
  for (const { message, dueAt, occurredAt, status } of execution.callbacks) {
    const body = JSON.stringify({ paymentId, status, occurredAt: timestamp(occurredAt), reference })
    statements.run(
      'INSERT INTO callbacks (attempt_id, webhook_id, body, due_at) VALUES (?, ?, ?, ?)',
      ...[attemptId, `sandbox-${attemptId}-${message}`, body, dueAt],
    )
  }
  const [first] = execution.changes
  if (first === undefined) throw new Error('an execution has a first status')
  return { attemptId, paymentId, status: first.status, amount, currency, reference, reason: first.reason }
}
