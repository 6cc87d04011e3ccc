import { configurationAndOutbox } from './0001-configuration-and-outbox.ts'
import { paymentsInboxesAndWebhooks } from './0002-payments-inboxes-and-webhooks.ts'

/** One step forward. Its text never changes once it has shipped; a mistake is mended by another step. */
export type Migration = Readonly<{ number: number; name: string; sql: string }>

export const migrations: readonly Migration[] = [
  { number: 1, name: 'configuration-and-outbox', sql: configurationAndOutbox },
  { number: 2, name: 'payments-inboxes-and-webhooks', sql: paymentsInboxesAndWebhooks },
]
