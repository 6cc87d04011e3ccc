import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { z } from 'zod'
import type { Caller } from '../kernel/caller.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { InputFault, StoreUnavailable } from '../kernel/failures.ts'
import type { IdSource, Uuid } from '../kernel/ids.ts'
import { pointerTo } from '../kernel/json.ts'
import type { Mac } from '../kernel/mac.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { ApplyReport, RemoteStatus, StatusReport } from '../payments/index.ts'
import type { Transaction } from '../transaction.ts'
import { verify } from './signature.ts'
import type { Tally } from './webhook-counts.ts'
import type { WebhookSecret } from './webhook-secret.ts'
import type { InvalidWebhook, Received, ReceivePaymentStatus, SignatureInvalid, SignedMessage, UnknownPayment } from './webhooks-service.ts'

type Dependencies = Readonly<{
  mac: Mac
  inboundSecrets: readonly WebhookSecret[]
  unitOfWork: UnitOfWork<Transaction>
  ids: IdSource
  clock: Clock
  applyReport: ApplyReport
  tally: Tally
}>

type Refusal = SignatureInvalid | InvalidWebhook | UnknownPayment | StoreUnavailable

const idLifeMs = 7 * 24 * 3_600_000
const statuses: readonly RemoteStatus[] = ['PROCESSING', 'COMPLETED', 'FAILED', 'REVERSED']

const storableText = (limit: number): z.ZodType<string> =>
  z
    .string()
    .max(limit)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'has characters that are not text')

/** Unknown members are ignored, so that the Payment Service may add some. */
const messageSchema = z.object({
  paymentId: z.uuid().toLowerCase(),
  status: z.enum(statuses),
  occurredAt: z.iso.datetime({ offset: true }),
  reference: storableText(200).nullish(),
  reason: storableText(1000).nullish(),
})

export function receivePaymentStatus(deps: Dependencies): ReceivePaymentStatus {
  return (message, caller) => new ResultAsync(counting(deps, receive(deps, message, caller)))
}

async function counting({ tally }: Dependencies, receiving: Promise<Result<Received, Refusal>>): Promise<Result<Received, Refusal>> {
  const received = await receiving
  if (received.isErr() && received.error.kind !== 'store-unavailable') tally.refused += 1
  return received
}

async function receive(deps: Dependencies, message: SignedMessage, caller: Caller): Promise<Result<Received, Refusal>> {
  const { mac, inboundSecrets, unitOfWork, clock } = deps
  const verified = verify(mac, inboundSecrets, clock.now(), message)
  if (verified.isErr()) return err(verified.error)
  const report = parseReport(message.body, caller)
  if (report.isErr()) return err(report.error)
  const id = verified.value
  const committed = await unitOfWork.run((tx) => new ResultAsync(recordOnce(deps, tx, id, report.value)))
  if (committed.isOk()) return ok(committed.value.value)
  return committed.error.kind === 'seen-before' ? ok({ outcome: 'duplicate', id }) : err(committed.error)
}

/** Refuses the unit, and with it what the report would have recorded. */
type SeenBefore = Readonly<{ kind: 'seen-before' }>

/** L16: the id and its effect are one unit, and the id's unique index decides between racing copies. */
async function recordOnce(
  { ids, clock, applyReport }: Dependencies,
  tx: Transaction,
  id: string,
  report: StatusReport,
): Promise<Result<Received, SeenBefore | UnknownPayment | StoreUnavailable>> {
  // Together, because each question may be a round trip.
  const [seen, applied] = await Promise.all([tx.receivedWebhooks.find({ id }), applyReport({ ids, clock }, tx, report)])
  if (seen.isErr()) return err(seen.error)
  const now: Instant = clock.now()
  if (seen.value !== null && seen.value.expiresAt > now) return err({ kind: 'seen-before' })
  if (applied.isErr()) return err(applied.error)
  if (applied.value === null) return err({ kind: 'unknown-payment', paymentId: report.paymentId })
  const received = { id, receivedAt: now, expiresAt: now + idLifeMs }
  if (seen.value === null) tx.receivedWebhooks.insert(received)
  else tx.receivedWebhooks.update(received)
  return ok({ outcome: applied.value, id })
}

function parseReport(body: string, caller: Caller): Result<StatusReport, InvalidWebhook> {
  const json = parseJson(body)
  if (json === null) return invalid([{ pointer: '', code: 'malformed-json', message: 'is not JSON' }])
  const parsed = messageSchema.safeParse(json.value)
  if (!parsed.success) return invalid(parsed.error.issues.map(faultOf))
  const { paymentId, status, occurredAt, reference, reason } = parsed.data
  return ok({
    paymentId: paymentId as Uuid,
    status,
    occurredAt: Date.parse(occurredAt),
    reference: reference ?? null,
    reason: reason ?? null,
    cause: 'webhook',
    requestId: caller.requestId,
    traceparent: caller.traceparent,
  })
}

function parseJson(text: string): Readonly<{ value: unknown }> | null {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return null
  }
}

function faultOf({ path, code, message }: z.core.$ZodIssue): InputFault {
  const pointer = path.reduce<string>((parent, token) => pointerTo(parent, String(token)), '')
  return { pointer, code: code.replaceAll('_', '-'), message }
}

function invalid(faults: readonly InputFault[]): Result<never, InvalidWebhook> {
  return err({ kind: 'invalid-webhook', faults })
}
