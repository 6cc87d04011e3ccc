import type { ConfigCache, ConfigStore } from './config/index.ts'
import type { EventBroker, Outbox } from './events/index.ts'
import type { Clock } from './kernel/clock.ts'
import type { Digest } from './kernel/digest.ts'
import type { IdSource } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import type { Random } from './kernel/random.ts'
import type { Signals } from './kernel/signals.ts'
import type { Transactions } from './kernel/unit-of-work.ts'
import type { Transaction } from './transaction.ts'

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
}>
