export { entryBody, resolvedBody, snapshotBody } from './config/bodies.ts'
export { deadLetterBody, streamBody } from './events/bodies.ts'
export { historyBody, paymentBody, paymentStatusBody, verificationBody } from './payments/bodies.ts'
export { deliveryBody, subscriptionBody, subscriptionWithSecretBody } from './webhooks/bodies.ts'
