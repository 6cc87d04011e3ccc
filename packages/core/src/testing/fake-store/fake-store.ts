import type { ApiKeyStore } from '../../access/index.ts'
import type { AuditStore } from '../../audit/index.ts'
import type { ConfigStore } from '../../config/index.ts'
import type { DeadLetterStore, Outbox } from '../../events/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Transactions } from '../../kernel/unit-of-work.ts'
import type { PaymentStore } from '../../payments/index.ts'
import type { DataKeyStore } from '../../sealing/index.ts'
import type { Transaction } from '../../transaction.ts'
import type { WebhookStore } from '../../webhooks/index.ts'
import { fakeApiKeyStore, fakeAuditStore, fakeDataKeyStore } from './fake-access-stores.ts'
import { fakeConfigStore } from './fake-config-store.ts'
import { fakeOutbox } from './fake-outbox.ts'
import { fakeDeadLetterStore, fakePaymentStore, fakeWebhookStore } from './fake-query-stores.ts'
import { fakeTransactions } from './fake-transactions.ts'
import { emptyTables } from './tables.ts'

/** The ports that one store stands behind. */
export type StorePorts = Readonly<{
  transactions: Transactions<Transaction>
  configStore: ConfigStore
  outbox: Outbox
  deadLetterStore: DeadLetterStore
  paymentStore: PaymentStore
  webhookStore: WebhookStore
  apiKeyStore: ApiKeyStore
  auditStore: AuditStore
  dataKeyStore: DataKeyStore
}>

/** One store in memory behind all of its ports, atomic and cheap: reads and commits touch only what they name. */
export function fakeStore(clock: Pick<Clock, 'now'>, epoch = 'fake'): StorePorts {
  const tables = emptyTables(clock, epoch)
  return {
    transactions: fakeTransactions(tables),
    configStore: fakeConfigStore(tables),
    outbox: fakeOutbox(tables),
    deadLetterStore: fakeDeadLetterStore(tables.records),
    paymentStore: fakePaymentStore(tables.records),
    webhookStore: fakeWebhookStore(tables.records),
    apiKeyStore: fakeApiKeyStore(tables.records),
    auditStore: fakeAuditStore(tables.records),
    dataKeyStore: fakeDataKeyStore(tables.records),
  }
}
