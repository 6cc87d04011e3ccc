import { type CancelSignal, type Clock, type EventRefused, fullJitterMs, type Instant, type Random } from '@cbp/core'
import type { ConsumeMessage } from 'amqplib'
import type { Result } from 'neverthrow'
import type { Verdict } from './queue-reader.ts'

export type RefusalLimits = Readonly<{
  /** The pause after a refusal grows from the one to the other, with full jitter. */
  pauseBaseMs: number
  pauseCapMs: number
  /** A message that is refused for so long goes back to the queue in any case; well below the broker's own limit of 30 minutes. */
  holdMs: number
}>

export type OfferDependencies = Readonly<{ clock: Clock; random: Random; limits: RefusalLimits }>

/** How many offers of a queue's messages have been accepted. */
export type Acceptances = { count: number }

/**
 * Offers a message until it is accepted. Only a refusal that is not put off, while others are accepted, is the message's own and counts towards
 * the queue's delivery limit; a consumer that refuses everything, such as while the store is away, must not turn its
 * backlog into dead letters.
 */
export async function offerUntilAccepted(
  { clock, random, limits }: OfferDependencies,
  acceptances: Acceptances,
  message: ConsumeMessage,
  cancel: CancelSignal,
  offer: () => PromiseLike<Result<void, EventRefused>>,
): Promise<Verdict> {
  const givesBackAt: Instant = clock.now() + limits.holdMs
  const deliveredBefore = deliveryCount(message)
  for (let attempt = 1; !cancel.aborted; attempt += 1) {
    const acceptedBefore = acceptances.count
    const accepted = await offer()
    if (accepted.isOk()) {
      acceptances.count += 1
      return 'accept'
    }
    if (cancel.aborted) break
    await clock.sleep(fullJitterMs(random, deliveredBefore + attempt, limits.pauseBaseMs, limits.pauseCapMs) + 1, cancel)
    if (cancel.aborted) break
    const isOwn = accepted.error.isPutOff !== true && acceptances.count > acceptedBefore
    if (isOwn || clock.now() >= givesBackAt) return 'requeue'
  }
  return 'leave'
}

/** How often a quorum queue has delivered the message before. */
function deliveryCount({ properties }: ConsumeMessage): number {
  const count: unknown = properties.headers?.['x-delivery-count']
  return typeof count === 'number' ? count : 0
}
