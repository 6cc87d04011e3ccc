import type { ApiKeyStore, DeploymentEnvironment, RecipientSeal } from './access/index.ts'
import type { AuditStore } from './audit/index.ts'
import type { ConfigCache, ConfigStore } from './config/index.ts'
import type { DeadLetterStore, EventBroker, Outbox } from './events/index.ts'
import type { Clock } from './kernel/clock.ts'
import type { Digest } from './kernel/digest.ts'
import type { IdSource } from './kernel/ids.ts'
import type { KeyRing } from './kernel/key-ring.ts'
import type { Log } from './kernel/log.ts'
import type { Mac } from './kernel/mac.ts'
import type { Random } from './kernel/random.ts'
import type { SecretSource } from './kernel/secret-source.ts'
import type { Signals } from './kernel/signals.ts'
import type { Transactions } from './kernel/unit-of-work.ts'
import type { PaymentService, PaymentStore } from './payments/index.ts'
import type { DataKeyStore } from './sealing/index.ts'
import type { Transaction } from './transaction.ts'
import type { UserDirectory } from './users/index.ts'
import type { WebhookSecret, WebhookStore, WebhookTransport } from './webhooks/index.ts'

/** Everything that core needs of the world. */
export type Ports = Readonly<{
  clock: Clock
  ids: IdSource
  random: Random
  digest: Digest
  log: Log
  signals: Signals
  transactions: Transactions<Transaction>
  configStore: ConfigStore
  configCache: ConfigCache
  outbox: Outbox
  eventBroker: EventBroker
  deadLetterStore: DeadLetterStore
  paymentStore: PaymentStore
  paymentService: PaymentService
  webhookStore: WebhookStore
  webhookTransport: WebhookTransport
  apiKeyStore: ApiKeyStore
  auditStore: AuditStore
  dataKeyStore: DataKeyStore
  recipientSeal: RecipientSeal
  userDirectory: UserDirectory
  mac: Mac
  secretSource: SecretSource
  keyRing: KeyRing
  /** Told by every API key: one of another environment is refused. */
  environment: DeploymentEnvironment
  /** What the Payment Service signs its webhooks with: any of them counts. */
  inboundSecrets: readonly WebhookSecret[]
}>
