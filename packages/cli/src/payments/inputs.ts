import type { PaymentId } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { readId } from '../inputs.ts'
import { type Failure, usageFailure } from '../output/failure.ts'
import type { Session } from '../session.ts'

export function readPaymentId(text: string): Result<PaymentId, Failure> {
  return readId('payment', text, 'cbp payment list')
}

const keyForm = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/

/** The key that was given, or a new one, told so that the command can be repeated with it. */
export function readIdempotencyKey({ notice }: Session, given: string | undefined): Result<string, Failure> {
  if (given === undefined) {
    const key = crypto.randomUUID()
    notice('idempotency-key', `To repeat this safely, add: --idempotency-key ${key}`)
    return ok(key)
  }
  if (keyForm.test(given)) return ok(given)
  return err(usageFailure('invalid-idempotency-key', '--idempotency-key takes 1 to 255 printable ASCII characters.'))
}

export function metadataOf(pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(pairs)
}
