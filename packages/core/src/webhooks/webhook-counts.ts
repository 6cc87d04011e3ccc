import type { WebhookCounts } from './webhooks-service.ts'

/** The counts of this process while they grow. */
export type Tally = { -readonly [Name in keyof WebhookCounts]: number }

export function newTally(): Tally {
  return { attempts: 0, delivered: 0, failed: 0, exhausted: 0, cancelled: 0, disabled: 0, refused: 0 }
}
