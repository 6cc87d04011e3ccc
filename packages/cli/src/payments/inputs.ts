import type { PaymentId } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { readId } from '../inputs.ts'
import { type Failure, usageFailure } from '../output/failure.ts'
import type { Session } from '../session.ts'

export function readPaymentId(text: string): Result<PaymentId, Failure> {
  return readId('payment', text, 'cbp payment list')
}

/** As the service takes it, so that a key can be used at both. */
const keyForm = /^[\x21-\x7e]{1,255}$/

/** The key that was given, or a new one, told so that the command can be repeated with it. */
export function readIdempotencyKey({ notice }: Session, given: string | undefined): Result<string, Failure> {
  if (given === undefined) {
    const key = crypto.randomUUID()
    notice('idempotency-key', `To repeat this safely, add: --idempotency-key ${key}`)
    return ok(key)
  }
  if (keyForm.test(given)) return ok(given)
  return err(usageFailure('invalid-idempotency-key', '--idempotency-key takes 1 to 255 visible ASCII characters, no blanks.'))
}

export function metadataOf(pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs)
}
