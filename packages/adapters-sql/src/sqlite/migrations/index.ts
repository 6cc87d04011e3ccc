import { configurationAndOutbox } from './0001-configuration-and-outbox.ts'
import { paymentsInboxesAndWebhooks } from './0002-payments-inboxes-and-webhooks.ts'
import { confirmedByStream } from './0003-confirmed-by-stream.ts'
import { accessAndAudit } from './0004-access-and-audit.ts'

/** One step forward. Its text never changes once it has shipped; a mistake is mended by another step. */
export type Migration = Readonly<{ number: number; name: string; sql: string }>

export const migrations: readonly Migration[] = [
  { number: 1, name: 'configuration-and-outbox', sql: configurationAndOutbox },
  { number: 2, name: 'payments-inboxes-and-webhooks', sql: paymentsInboxesAndWebhooks },
  { number: 3, name: 'confirmed-by-stream', sql: confirmedByStream },
  { number: 4, name: 'access-and-audit', sql: accessAndAudit },
]
