export type { WebhookDependencies } from './build-webhooks.ts'
export { webhooksService } from './build-webhooks.ts'
export type { DeliveryAttempt, DeliveryStatus, WebhookDelivery } from './delivery.ts'
export type { DispatcherLimits } from './dispatcher.ts'
export type { FanOutDependencies } from './fan-out.ts'
export { fanOut } from './fan-out.ts'
export type { Lane } from './lane.ts'
export type { Audience, DeliveryBacklog, DeliveryFilter, WebhookRecords, WebhookStore } from './ports/webhook-store.ts'
export type { ForbiddenTarget, WebhookAnswer, WebhookRequest, WebhookTransport, WebhookUnanswered } from './ports/webhook-transport.ts'
export type { ReceivedWebhook } from './received-webhook.ts'
export { sealedSubscriptionSecrets } from './sealed-secrets.ts'
export { verify as verifyWebhook } from './signature.ts'
export type { Reach, Subscription, SubscriptionFilter, SubscriptionSecret, WebhookType } from './subscription.ts'
export { subscriptionLimits, webhookTypes } from './subscription.ts'
export type { InvalidWebhookSecret, WebhookSecret } from './webhook-secret.ts'
export { parseWebhookSecret } from './webhook-secret.ts'
export type {
  AmendSubscription,
  BeyondReach,
  DeliveryNotFound,
  DeliveryStillPending,
  InvalidWebhook,
  Received,
  ReceivePaymentStatus,
  ReplayDelivery,
  RotateSecret,
  SendTest,
  SignatureInvalid,
  SignedMessage,
  StaleSubscription,
  Subscribe,
  SubscriptionDetails,
  SubscriptionDisabled,
  SubscriptionNotFound,
  TooManySubscriptions,
  UnknownPayment,
  Unsubscribe,
  WebhookCounts,
  WebhooksService,
  WithSecret,
} from './webhooks-service.ts'
