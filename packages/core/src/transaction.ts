import type { ConfigTransaction } from './config/index.ts'
import type { OutboxTransaction } from './events/index.ts'

/** Everything that one unit of work may read and record. */
export type Transaction = Readonly<{ config: ConfigTransaction; outbox: OutboxTransaction }>
