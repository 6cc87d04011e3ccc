import { cancelSource, type EventRefused } from '@cbp/core'
import { fakeClock, fakeRandom } from '@cbp/core/testing'
import type { ConsumeMessage } from 'amqplib'
import { err, type Result } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { offerUntilAccepted } from './offer.ts'
import { defaultLimits } from './rabbit-event-broker.ts'

const hourMs = 3_600_000
const consumerTimeoutMs = hourMs / 2

function messageDelivered(times: number): ConsumeMessage {
  return { properties: { headers: { 'x-delivery-count': times } } } as unknown as ConsumeMessage
}

describe('a consumer that refuses everything', () => {
  it('makes no dead letter of an event within four hours, and holds none for longer than the broker lets it', async () => {
    const clock = fakeClock()
    const from = clock.now()
    const heldMs: number[] = []
    const refused: Result<void, EventRefused> = err({ kind: 'event-refused', reason: 'the store is away' })
    const { signal: never } = cancelSource()
    for (let requeued = 0; requeued <= defaultLimits.deliveryLimit; requeued += 1) {
      const deps = { clock, random: fakeRandom(requeued), limits: defaultLimits }
      const takenAt = clock.now()
      let isOver = false
      const verdict = offerUntilAccepted(deps, { count: 0 }, messageDelivered(requeued), never, async () => refused).finally(() => {
        isOver = true
      })
      while (!isOver) await clock.advance(1_000)
      expect(await verdict).toBe('requeue')
      heldMs.push(clock.now() - takenAt)
    }
    expect(clock.now() - from).toBeGreaterThan(4 * hourMs)
    expect(Math.max(...heldMs)).toBeLessThan(consumerTimeoutMs * 0.8)
  })
})
