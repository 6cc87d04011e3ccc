import type { DeliveryStatus, WebhookType } from '@cbp/core'

/** Whether it is about payments. */
const isAboutPayments: Readonly<Record<WebhookType, boolean>> = {
  PAYMENT_CREATED: true,
  PAYMENT_UPDATED: true,
  PAYMENT_DELETED: true,
  PAYMENT_COMPLETED: true,
  PAYMENT_FAILED: true,
  USER_UPDATED: false,
  PREFERENCES_UPDATED: false,
  CONFIG_UPDATED: false,
  SYSTEM_ALERT: false,
}

export const webhookTypes: readonly WebhookType[] = Object.keys(isAboutPayments) as WebhookType[]
export const paymentTypes: readonly WebhookType[] = webhookTypes.filter((type) => isAboutPayments[type])

const everyDeliveryStatus: Readonly<Record<DeliveryStatus, true>> = { pending: true, delivered: true, exhausted: true, cancelled: true }

export const deliveryStatuses: readonly DeliveryStatus[] = Object.keys(everyDeliveryStatus) as DeliveryStatus[]
