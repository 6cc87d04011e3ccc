import type { Instruction, PaymentId, RemotePayment, Uuid } from '@cbp/core'
import { timestamp } from '@cbp/core'
import { z } from '@hono/zod-openapi'

const attemptId: z.ZodType<string> = z.uuidv7().openapi({ description: 'The attempt: the one instruction of a payment' })
const paymentId: z.ZodType<string> = z.uuidv7().openapi({ description: 'The payment, by the id it has at the sender' })
const instant: z.ZodType<string> = z.iso.datetime({ precision: 3 }).openapi({ description: 'RFC 3339, UTC, milliseconds' })
const currency: z.ZodType<string> = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .openapi({ description: 'ISO 4217', example: 'USD' })
const status = z.enum(['PROCESSING', 'COMPLETED', 'FAILED', 'REVERSED'])

/** What the two sides agree to call their refusals; all else is no answer about the attempt. */
export const problemCodes = {
  unknownAttempt: 'unknown-attempt',
  refused: 'instruction-refused',
  expired: 'attempt-expired',
  mismatch: 'attempt-mismatch',
} as const

type InstructionBody = Readonly<{
  paymentId: string
  amount: number
  currency: string
  payee: Readonly<{ id: string; name: string }>
  userId: string
  reference: string | null
  metadata: Readonly<Record<string, string>>
  notAfter: string
}>

export const instructionBody: z.ZodType<InstructionBody> = z
  .strictObject({
    paymentId,
    amount: z.int().min(1).openapi({ description: "In the currency's minor unit" }),
    currency,
    payee: z.strictObject({ id: z.string(), name: z.string() }),
    userId: z.string(),
    reference: z.string().nullable().openapi({ description: "The payer's own name for the payment" }),
    metadata: z.record(z.string(), z.string()),
    notAfter: instant,
  })
  .openapi('Instruction')

/** An answer may have members that are not known here. */
export const attemptBody: z.ZodType<
  Readonly<{
    attemptId: string
    paymentId: string
    status: RemotePayment['status']
    amount: number
    currency: string
    reference?: string | null | undefined
    reason?: string | null | undefined
  }>
> = z
  .object({
    attemptId,
    paymentId,
    status,
    amount: z.int().min(0).openapi({ description: "What is held, in the currency's minor unit" }),
    currency,
    reference: z.string().max(200).nullish().openapi({ description: "The Payment Service's own name for the payment" }),
    reason: z.string().max(1000).nullish().openapi({ description: 'Why it failed; for a reader, without personal data' }),
  })
  .openapi('Attempt')

export const problemBody: z.ZodType<Readonly<{ code: string; detail?: string | undefined }>> = z
  .object({
    type: z.string().optional().openapi({ format: 'uri-reference' }),
    title: z.string().optional(),
    status: z.int().optional(),
    code: z.string(),
    detail: z.string().optional().openapi({ description: 'For a reader, without personal data' }),
  })
  .openapi('Problem', { description: 'RFC 9457. `code` is what the client acts on.' })

export const statusWebhookBody: z.ZodType<
  Readonly<{ paymentId: string; status: RemotePayment['status']; occurredAt: string; reference?: string | undefined }>
> = z
  .object({
    paymentId,
    status,
    occurredAt: instant.openapi({ description: 'When the payment took this status' }),
    reference: z.string().max(200).optional(),
  })
  .openapi('PaymentStatusChanged')

export function toInstructionBody(given: Instruction): InstructionBody {
  const { paymentId: id, amount, currency: code, payee, userId, reference, metadata, notAfter } = given
  return {
    paymentId: id,
    amount,
    currency: code,
    payee: { id: payee.id, name: payee.name },
    userId,
    reference,
    metadata,
    notAfter: timestamp(notAfter),
  }
}

/** `null` when the text is no answer about the attempt that was asked for. */
export function parseAttempt(text: string, asked: Uuid): RemotePayment | null {
  const parsed = attemptBody.safeParse(parseJson(text))
  if (!parsed.success || parsed.data.attemptId !== asked) return null
  const { paymentId: id, status: state, amount, currency: code, reference, reason } = parsed.data
  return {
    attemptId: asked,
    paymentId: id as PaymentId,
    status: state,
    amount,
    currency: code,
    reference: reference ?? null,
    reason: reason ?? null,
  }
}

export function parseProblem(text: string): Readonly<{ code: string; detail?: string | undefined }> | null {
  const parsed = problemBody.safeParse(parseJson(text))
  return parsed.success ? parsed.data : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
