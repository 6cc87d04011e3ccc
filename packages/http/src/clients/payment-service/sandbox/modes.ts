import type { Instant, RemoteStatus } from '@cbp/core'

/** What `metadata.sandbox` of a payment can ask for; docs/payment-service.md describes each. */
export const sandboxModes = [
  'completes',
  'completes-at-once',
  'fails',
  'refuses',
  'times-out-before',
  'times-out-before-always',
  'times-out-after',
  'answers-late',
  'webhook-twice',
  'webhook-out-of-order',
  'webhook-never',
  'wrong-amount',
  'reverses',
] as const

export type SandboxMode = (typeof sandboxModes)[number]

export type SandboxDelays = Readonly<{
  /** How long a caller waits for an answer that does not come. */
  answerDeadlineMs: number
  /** From beginning to completion or failure. */
  settleMs: number
  /** From completion to reversal. */
  reverseMs: number
  /** How long after the caller has given up `answers-late` begins. */
  lateMs: number
  /** Between the callbacks of one attempt that say the same or come out of order. */
  betweenCallbacksMs: number
}>

export type Change = Readonly<{ at: Instant; status: RemoteStatus; reason: string | null }>

/** `message` tells callbacks apart by their `webhook-id`: those with the same number carry the same one. */
export type PlannedCallback = Readonly<{ message: number; dueAt: Instant; occurredAt: Instant; status: RemoteStatus }>

/** All that comes of an attempt, laid down when it is accepted: what is held at an instant is then a matter of reading. */
export type Execution = Readonly<{
  beginsAt: Instant
  /** Added to the amount that was instructed. */
  amountError: number
  changes: readonly Change[]
  callbacks: readonly PlannedCallback[]
  /** Whether the caller hears of it. */
  answered: boolean
}>

export function modeOf(metadata: Readonly<Record<string, string>>): SandboxMode | null {
  const asked = metadata['sandbox'] ?? 'completes'
  return sandboxModes.find((mode) => mode === asked) ?? null
}

/** What carrying out an attempt in this mode at `now` amounts to. */
export function executionOf(mode: SandboxMode, now: Instant, delays: SandboxDelays): Execution {
  const beginsAt = mode === 'answers-late' ? now + delays.answerDeadlineMs + delays.lateMs : now
  const changes = changesOf(mode, beginsAt, delays)
  return {
    beginsAt,
    amountError: mode === 'wrong-amount' ? 1 : 0,
    changes,
    callbacks: callbacksOf(mode, changes, delays),
    answered: mode !== 'times-out-after' && mode !== 'answers-late',
  }
}

function changesOf(mode: SandboxMode, beginsAt: Instant, { settleMs, reverseMs }: SandboxDelays): readonly Change[] {
  if (mode === 'completes-at-once') return [{ at: beginsAt, status: 'COMPLETED', reason: null }]
  const settledAt = beginsAt + settleMs
  const begun: Change = { at: beginsAt, status: 'PROCESSING', reason: null }
  if (mode === 'fails') return [begun, { at: settledAt, status: 'FAILED', reason: 'insufficient funds' }]
  const completed: Change = { at: settledAt, status: 'COMPLETED', reason: null }
  if (mode !== 'reverses') return [begun, completed]
  return [begun, completed, { at: settledAt + reverseMs, status: 'REVERSED', reason: null }]
}

/** In the order in which they are sent. PROCESSING is told by the answer, and by a callback only when it comes too late. */
function callbacksOf(mode: SandboxMode, changes: readonly Change[], { betweenCallbacksMs }: SandboxDelays): readonly PlannedCallback[] {
  if (mode === 'webhook-never') return []
  const [begun] = changes
  const told = changes
    .filter(({ status }) => status !== 'PROCESSING')
    .map(({ at, status }, index) => ({ message: index + 1, dueAt: at, occurredAt: at, status }))
  const [first] = told
  if (begun === undefined || first === undefined) return told
  if (mode === 'webhook-twice')
    return [
      first,
      { ...first, dueAt: first.dueAt + betweenCallbacksMs },
      { ...first, message: 2, dueAt: first.dueAt + 2 * betweenCallbacksMs },
    ]
  if (mode === 'webhook-out-of-order')
    return [first, { message: 2, dueAt: first.dueAt + betweenCallbacksMs, occurredAt: begun.at, status: begun.status }]
  return told
}
