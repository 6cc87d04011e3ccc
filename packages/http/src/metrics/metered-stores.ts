import type { DeadLetterStore, PaymentService, PaymentStore, UserDirectory, WebhookStore, WebhookTransport } from '@cbp/core'
import type { Call } from './calls.ts'

export function meteredPaymentStore(inner: PaymentStore, call: Call): PaymentStore {
  return {
    payment: (id) => call('payment', () => inner.payment(id)),
    payments: (filter, before, limit) => call('payments', () => inner.payments(filter, before, limit)),
    history: (id, after, limit) => call('payment-history', () => inner.history(id, after, limit)),
    discrepancies: (id) => call('payment-discrepancies', () => inner.discrepancies(id)),
    dueForCheck: (now, limit) => call('payments-due', () => inner.dueForCheck(now, limit)),
    totals: () => call('payment-totals', () => inner.totals()),
    dropExpiredKeys: (now, limit) => call('drop-expired-keys', () => inner.dropExpiredKeys(now, limit)),
  }
}

export function meteredWebhookStore(inner: WebhookStore, call: Call): WebhookStore {
  return {
    subscription: (id) => call('subscription', () => inner.subscription(id)),
    subscriptions: (client, before, limit) => call('subscriptions', () => inner.subscriptions(client, before, limit)),
    delivery: (id) => call('delivery', () => inner.delivery(id)),
    deliveries: (filter, before, limit) => call('deliveries', () => inner.deliveries(filter, before, limit)),
    dueLanes: (now, limit) => call('due-lanes', () => inner.dueLanes(now, limit)),
    dueDeliveries: (id, now, limit) => call('due-deliveries', () => inner.dueDeliveries(id, now, limit)),
    backlog: () => call('webhook-backlog', () => inner.backlog()),
    dropExpiredIds: (now, limit) => call('drop-expired-ids', () => inner.dropExpiredIds(now, limit)),
  }
}

export function meteredDeadLetterStore(inner: DeadLetterStore, call: Call): DeadLetterStore {
  return {
    deadLetter: (id) => call('dead-letter', () => inner.deadLetter(id)),
    deadLetters: (filter, before, limit) => call('dead-letters', () => inner.deadLetters(filter, before, limit)),
    deadCount: () => call('dead-count', () => inner.deadCount()),
  }
}

export function meteredPaymentService(inner: PaymentService, call: Call): PaymentService {
  return {
    instruct: (instruction) => call('instruct', () => inner.instruct(instruction)),
    find: (attemptId) => call('find', () => inner.find(attemptId)),
  }
}

export function meteredUserDirectory(inner: UserDirectory, call: Call): UserDirectory {
  return { find: (userId) => call('find', () => inner.find(userId)) }
}

export function meteredTransport(inner: WebhookTransport, call: Call): WebhookTransport {
  return { post: (request) => call('post', () => inner.post(request)), check: (url) => inner.check(url) }
}
