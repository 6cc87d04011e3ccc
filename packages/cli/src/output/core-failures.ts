import type { Core, CursorGone, InputFault } from '@cbp/core'
import type { ResultAsync } from 'neverthrow'
import { apiKeyFailure } from './api-key-failures.ts'
import { configFailure } from './config-failures.ts'
import { eventFailure } from './event-failures.ts'
import { exitCodes, type Failure } from './failure.ts'
import { paymentFailure } from './payment-failures.ts'
import { plain } from './style.ts'
import { webhookFailure } from './webhook-failures.ts'

type FailureOf<UseCase> = UseCase extends (...inputs: never[]) => ResultAsync<unknown, infer Error> ? Error : never
type FailuresOf<Service> = FailureOf<Service[keyof Service]>

/** Every error that a use case of core may answer, taken from core itself: a new one does not compile until it is told here. */
export type CoreFailure = FailuresOf<Core['config']> | ServiceFailure | CursorGone

/** Those of everything but configuration. */
type ServiceFailure = FailuresOf<Core['payments']> | FailuresOf<Core['webhooks']> | FailuresOf<Core['events']> | FailuresOf<Core['access']>

const { usage, unavailable } = exitCodes

/** What an error of core means at the command line. */
export function failureOf(error: CoreFailure): Failure {
  switch (error.kind) {
    case 'config-not-found':
    case 'entry-not-found':
    case 'version-not-found':
    case 'unknown-version':
    case 'revision-beyond-head':
    case 'stale-version':
    case 'resolved-etag':
    case 'invalid-value':
    case 'invalid-cursor':
    case 'cursor-gone':
      return configFailure(error)
    case 'store-unavailable':
      return {
        exitCode: unavailable,
        code: error.kind,
        detail: `The store does not answer: ${plain(error.reason)}.`,
        mend: 'Nothing is known to have changed. Check CBP_SQL_URL and CBP_DATA_DIR, then try again.',
      }
    case 'payment-not-found':
    case 'invalid-payment':
    case 'duplicate-reference':
    case 'payment-state-conflict':
    case 'stale-payment':
    case 'idempotency-key-reused':
    case 'request-in-flight':
    case 'payment-service-unavailable':
      return paymentFailure(error)
    case 'subscription-not-found':
    case 'delivery-not-found':
    case 'beyond-reach':
    case 'stale-subscription':
    case 'too-many-subscriptions':
    case 'delivery-still-pending':
    case 'subscription-disabled':
    case 'forbidden-target':
    case 'signature-invalid':
    case 'invalid-webhook':
    case 'unknown-payment':
      return webhookFailure(error)
    case 'dead-letter-not-found':
    case 'dead-letter-settled':
    case 'unknown-consumer':
    case 'too-many-replays':
    case 'event-not-applicable':
      return eventFailure(error)
    case 'api-key-not-found':
    case 'api-key-revoked':
    case 'beyond-grant':
    case 'too-many-api-keys':
    case 'too-many-secrets':
    case 'unusable-recipient':
      return apiKeyFailure(error)
  }
}

/** What is wrong with something that was typed. */
export function inputFailure(faults: readonly InputFault[]): Failure {
  const [first] = faults
  const code = first?.code ?? 'invalid-input'
  const one = faults.length === 1 && first !== undefined
  return one
    ? { exitCode: usage, code, detail: first.message }
    : { exitCode: usage, code, detail: `${faults.length} inputs are not acceptable.`, errors: faults }
}
