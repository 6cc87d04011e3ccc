import { amountLimit, type PaymentStatus, paymentLimits } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { pageOf } from '../server/parameters.ts'

export const paymentStatuses: readonly PaymentStatus[] = [
  'PENDING',
  'PROCESSING',
  'COMPLETED',
  'FAILED',
  'UNKNOWN',
  'CANCELLED',
  'REVERSED',
]

export const paymentStatus: z.ZodType<PaymentStatus, PaymentStatus> = z.enum(paymentStatuses).openapi('PaymentStatus')

const amount = z.int().min(1).openapi({ description: "In the currency's minor unit (ISO 4217)", example: 1250, maximum: amountLimit })
const currency = z.string().openapi({ description: 'ISO 4217 alphabetic code', example: 'USD', pattern: '^[A-Z]{3}$' })
const payeeId = z.string().openapi({ example: 'utility-7', minLength: 1, maxLength: paymentLimits.payeeId })
const payeeName = z.string().openapi({ example: 'City Water', minLength: 1, maxLength: paymentLimits.payeeName })
const userId = z.string().openapi({ example: 'user-1', minLength: 1, maxLength: paymentLimits.userId })
const reference = z.string().openapi({
  description: "The client's own name for the payment; taken once and for ever",
  minLength: 1,
  maxLength: paymentLimits.reference,
})
/** A record drops a member of this name without a word, so it is refused before. */
const withoutProto = z.any().refine((given: unknown) => typeof given !== 'object' || given === null || !Object.hasOwn(given, '__proto__'), {
  message: '__proto__ is no name of a member.',
  params: { code: 'invalid-name' },
})
const metadata = withoutProto.pipe(z.record(z.string(), z.string())).openapi({
  description: 'Texts of the client',
  maxProperties: paymentLimits.metadataMembers,
  example: { invoice: 'A-17' },
  type: 'object',
  additionalProperties: { type: 'string' },
})
const instant = z.iso.datetime()

const payment: z.ZodType = z
  .strictObject({
    id: z.uuid(),
    client: z.string().openapi({ description: 'Whose it is' }),
    status: paymentStatus,
    amount,
    currency,
    payee: z.strictObject({ id: payeeId, name: payeeName }),
    userId,
    reference: reference.nullable(),
    metadata,
    version: z.int().min(1).openapi({ description: 'Rises with every change; the ETag is made of it' }),
    createdAt: instant,
    updatedAt: instant,
    failure: z.string().nullable().openapi({ description: 'Why it failed' }),
    remoteReference: z.string().nullable().openapi({ description: "The Payment Service's own name for it" }),
  })
  .openapi('Payment')

const historyEntry = z
  .strictObject({
    number: z.int().min(1),
    kind: z.enum(['created', 'transition', 'amended', 'ignored']).openapi({
      description: 'An ignored report changed nothing: late, repeated or impossible',
    }),
    from: paymentStatus.nullable(),
    to: paymentStatus,
    version: z.int().openapi({ description: 'Of the payment, afterwards' }),
    actor: z.string(),
    cause: z.enum(['request', 'instruction', 'webhook', 'reconciler']),
    detail: z.string().nullable(),
    requestId: z.string().nullable(),
    recordedAt: instant,
  })
  .openapi('PaymentHistoryEntry')

const verification = z
  .strictObject({
    id: z.uuid(),
    verified: z.boolean().openapi({ description: 'Whether both services agree' }),
    status: paymentStatus,
    remoteStatus: z
      .enum(['PROCESSING', 'COMPLETED', 'FAILED', 'REVERSED'])
      .nullable()
      .openapi({ description: 'null when it was never instructed, or is not known there' }),
    discrepancies: z.array(
      z.strictObject({ kind: z.enum(['status', 'amount', 'currency']), ours: z.string(), theirs: z.string(), openedAt: instant }),
    ),
  })
  .openapi('PaymentVerification')

type CreateBody = Readonly<{
  amount: number
  currency: string
  payee: Readonly<{ id: string; name: string }>
  userId: string
  reference?: string | null | undefined
  metadata?: Record<string, string> | undefined
}>

/** A merge patch (RFC 7396). */
export type PaymentPatch = Readonly<{
  amount?: number | undefined
  currency?: string | undefined
  payee?: Readonly<{ id?: string | undefined; name?: string | undefined }> | undefined
  metadata?: Record<string, string | null> | null | undefined
}>

/** The bodies of the payment endpoints. What a payment may hold is core's to say; here is only what form it has. */
export const bodies: Readonly<{
  create: z.ZodType<CreateBody>
  patch: z.ZodType<PaymentPatch>
  payment: z.ZodType
  payments: z.ZodType
  status: z.ZodType
  history: z.ZodType
  verification: z.ZodType
}> = {
  create: z
    .strictObject({
      amount,
      currency,
      payee: z.strictObject({ id: payeeId, name: payeeName }),
      userId,
      reference: reference.nullish(),
      metadata: metadata.optional(),
    })
    .openapi('CreatePayment'),
  patch: z
    .strictObject({
      amount: amount.optional(),
      currency: currency.optional(),
      payee: z.strictObject({ id: payeeId.optional(), name: payeeName.optional() }).optional(),
      metadata: withoutProto
        .pipe(z.record(z.string(), z.string().nullable()).nullable())
        .optional()
        .openapi({
          description: 'Members are set; those of null are removed',
          type: ['object', 'null'],
          additionalProperties: { type: ['string', 'null'] },
        }),
    })
    .openapi('AmendPayment'),
  payment,
  payments: pageOf(payment).openapi('PaymentList'),
  status: z.strictObject({ id: z.uuid(), status: paymentStatus, version: z.int(), updatedAt: instant }).openapi('PaymentState'),
  history: pageOf(historyEntry).openapi('PaymentHistory'),
  verification,
}
