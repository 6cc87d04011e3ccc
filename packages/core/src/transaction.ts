import type { ApiKeyRecords } from './access/index.ts'
import type { AuditRecords } from './audit/index.ts'
import type { ConfigTransaction } from './config/index.ts'
import type { InboxRecords, OutboxTransaction } from './events/index.ts'
import type { PaymentRecords } from './payments/index.ts'
import type { DataKeyRecords } from './sealing/index.ts'
import type { WebhookRecords } from './webhooks/index.ts'

/** Everything that one unit of work may read and record. */
export type Transaction = Readonly<{ config: ConfigTransaction; outbox: OutboxTransaction }> &
  PaymentRecords &
  InboxRecords &
  WebhookRecords &
  ApiKeyRecords &
  AuditRecords &
  DataKeyRecords
