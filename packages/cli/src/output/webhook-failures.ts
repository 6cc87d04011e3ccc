import type {
  BeyondReach,
  DeliveryNotFound,
  DeliveryStillPending,
  ForbiddenTarget,
  InvalidWebhook,
  SignatureInvalid,
  StaleSubscription,
  SubscriptionDisabled,
  SubscriptionNotFound,
  TooManySubscriptions,
  UnknownPayment,
} from '@cbp/core'
import { subscriptionBody } from '@cbp/http/bodies'
import { exitCodes, type Failure } from './failure.ts'
import { plain } from './style.ts'

type WebhookFailure =
  | SubscriptionNotFound
  | DeliveryNotFound
  | BeyondReach
  | StaleSubscription
  | TooManySubscriptions
  | DeliveryStillPending
  | SubscriptionDisabled
  | ForbiddenTarget
  | SignatureInvalid
  | InvalidWebhook
  | UnknownPayment

const { refused, conflict, notFound } = exitCodes

/** What an error about a webhook means at the command line. */
export function webhookFailure(error: WebhookFailure): Failure {
  switch (error.kind) {
    case 'subscription-not-found':
      return absent(error.kind, 'subscription', error.id, 'cbp webhook list')
    case 'delivery-not-found':
      return absent(error.kind, 'delivery', error.id, 'cbp webhook deliveries')
    case 'unknown-payment':
      return absent(error.kind, 'payment', error.paymentId, 'cbp payment list')
    case 'beyond-reach':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `These types are beyond what the token permits to hear: ${error.types.join(', ')}. Nothing was written.`,
        mend: 'Ask for fewer types, or unset CBP_TOKEN to act as the operator.',
      }
    case 'stale-subscription':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The subscription was changed meanwhile; it is at version ${error.subscription.version} now. Nothing was written.`,
        mend: `Look at it with: cbp webhook show ${error.subscription.id}`,
        members: { current: subscriptionBody(error.subscription) },
      }
    case 'too-many-subscriptions':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `One client has at most ${error.limit} subscriptions. Nothing was written.`,
        mend: 'Remove one first: cbp webhook remove <id>',
      }
    case 'delivery-still-pending':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `Delivery ${plain(error.id)} has not ended yet: it is tried again by itself.`,
        mend: `See when with: cbp webhook deliveries ${plain(error.id)}`,
      }
    case 'subscription-disabled':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The subscription ${plain(error.id)} is disabled: nothing is sent to it.`,
        mend: `Enable it with: cbp webhook enable ${plain(error.id)}`,
      }
    case 'forbidden-target':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `Webhooks cannot be sent there: ${plain(error.reason).replace(/\.$/, '')}. Nothing was written.`,
      }
    case 'signature-invalid':
      return { exitCode: refused, code: error.kind, detail: `The signature is not in order: ${plain(error.reason)}.` }
    case 'invalid-webhook':
      return { exitCode: refused, code: error.kind, detail: 'The message cannot be understood.', errors: error.faults }
  }
}

function absent(code: string, what: string, id: string, list: string): Failure {
  return { exitCode: notFound, code, detail: `There is no ${what} ${plain(id)}.`, mend: `List them with: ${list}` }
}
