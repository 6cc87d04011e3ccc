import type {
  BeyondReach,
  DeliveryNotFound,
  DeliveryStillPending,
  ForbiddenTarget,
  InvalidWebhook,
  JsonValue,
  SignatureInvalid,
  StaleSubscription,
  SubscriptionDisabled,
  SubscriptionNotFound,
  TooManySubscriptions,
  UnknownPayment,
} from '@cbp/core'
import { subscriptionBody } from '../webhooks/bodies.ts'
import { faulty, problem } from './problem.ts'
import type { ProblemTable } from './problem-table.ts'

export type WebhookFailure =
  | BeyondReach
  | DeliveryNotFound
  | DeliveryStillPending
  | ForbiddenTarget
  | InvalidWebhook
  | SignatureInvalid
  | StaleSubscription
  | SubscriptionDisabled
  | SubscriptionNotFound
  | TooManySubscriptions
  | UnknownPayment

/** RFC 9110, 11.6.1: a 401 names what would be accepted. */
const challenge = { 'www-authenticate': 'StandardWebhooks realm="cbp-config-api"' }

export const webhookProblems: ProblemTable<WebhookFailure> = {
  'subscription-not-found': ({ id }) => problem('subscription-not-found', `There is no subscription ${id} that this token may see.`),
  'delivery-not-found': ({ id }) => problem('delivery-not-found', `There is no delivery ${id} that this token may see.`),
  'beyond-reach': ({ types }) =>
    problem('beyond-reach', `This token may not hear ${types.join(', ')}.`, { members: { types: types as readonly JsonValue[] } }),
  'forbidden-target': ({ reason }) => faulty('forbidden-target', [{ pointer: '#/url', code: 'forbidden-target', message: reason }]),
  'too-many-subscriptions': ({ limit }) =>
    problem('too-many-subscriptions', `A client has at most ${limit} subscriptions.`, { members: { limit } }),
  'stale-subscription': ({ subscription }) =>
    problem('stale-subscription', `The subscription is at version ${subscription.version}.`, {
      members: { current: subscriptionBody(subscription) as JsonValue },
    }),
  'subscription-disabled': ({ id }) => problem('subscription-disabled', `The subscription ${id} is disabled: nothing is sent to it.`),
  'delivery-still-pending': ({ id }) => problem('delivery-still-pending', `The delivery ${id} is still being tried.`),
  'signature-invalid': ({ reason }) =>
    problem('signature-invalid', `The webhook is refused: ${reason}. Nothing was changed.`, { headers: challenge }),
  'invalid-webhook': ({ faults }) => {
    const malformed = faults.find(({ code }) => code === 'malformed-json')
    if (malformed !== undefined) return problem('malformed-json', `The body ${malformed.message}.`)
    return faulty(
      'invalid-body',
      faults.map((fault) => ({ ...fault, pointer: `#${fault.pointer}` })),
    )
  },
  'unknown-payment': ({ paymentId }) => problem('payment-not-found', `There is no payment ${paymentId}.`),
}
