import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Uuid } from '../kernel/ids.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { afterTry, type Tried } from './delivery.ts'
import { emptyLane, hasFailedTooLong, laneAfterTry } from './lane.ts'
import { newDelivery } from './queue-delivery.ts'

const id = '01890000-0000-7000-8000-000000000000' as Uuid
const hour = 3_600_000
const untried = newDelivery(
  { id, subscriptionId: id, client: 'a', type: 'TEST', event: null, body: '{}', replayOf: null, replayed: false, traceparent: null },
  0,
  0,
)

function tried(status: number | null, { number = 1, at = 0, retryAfterMs = null as number | null, spread = 0.5 } = {}): Tried {
  const error = status === null ? 'timeout' : null
  return {
    deliveryId: id,
    url: 'https://a.example',
    attempt: { number, at, latencyMs: 1, status, error, answer: null },
    retryAfterMs,
    spread,
  }
}

describe('afterTry', () => {
  itHolds(
    'L17: ends every delivery after as many tries as the schedule has delays, or with the first success',
    100,
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.option(fc.integer({ min: 200, max: 599 })), { minLength: 12, maxLength: 12 }),
      async (scheduleSeconds, statuses) => {
        let delivery = untried
        let now = 0
        for (const status of statuses) {
          if (delivery.dueAt === null) break
          now = delivery.dueAt
          delivery = afterTry(delivery, tried(status, { number: delivery.attempts.length + 1 }), { scheduleSeconds }, now)
        }
        const firstSuccess = statuses.findIndex((status) => status !== null && status < 300)
        const succeeds = firstSuccess >= 0 && firstSuccess < scheduleSeconds.length
        expect(delivery).toMatchObject({ status: succeeds ? 'delivered' : 'exhausted', dueAt: null, endedAt: now })
        expect(delivery.attempts).toHaveLength(succeeds ? firstSuccess + 1 : scheduleSeconds.length)
      },
    ),
  )

  it.each([199, 301, 302, 307, 400, 404, 410, 429, 500, 503, null])('takes %s for a failure', (status) => {
    expect(afterTry(untried, tried(status), { scheduleSeconds: [0, 1] }, 0)).toMatchObject({ status: 'pending', dueAt: 1000 })
  })

  it('spreads the delay over 20 % to both sides', () => {
    const due = [0, 0.5, 0.9999].map((spread) => afterTry(untried, tried(500, { spread }), { scheduleSeconds: [0, 300] }, 0).dueAt ?? 0)
    expect(due.map((ms) => Math.round(ms / 1000))).toEqual([240, 300, 360])
  })

  it('honours Retry-After up to 24 hours, and never waits less than the schedule says', () => {
    const wait = (retryAfterMs: number): number | null =>
      afterTry(untried, tried(503, { retryAfterMs }), { scheduleSeconds: [0, 300] }, 0).dueAt
    expect([wait(600_000), wait(1), wait(-5), wait(90 * hour)]).toEqual([600_000, 300_000, 300_000, 24 * hour])
  })
})

describe('laneAfterTry', () => {
  it('pauses from the fifth failure on, twice as long each time up to five minutes', () => {
    let lane = emptyLane(id)
    let now = 0
    const pauses: number[] = []
    for (let count = 1; count <= 16; count += 1) {
      lane = laneAfterTry(lane, tried(500, { at: now }), now)
      if (lane.pausedUntil === null) continue
      pauses.push(Math.round((lane.pausedUntil - now) / 1000))
      now = lane.pausedUntil
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
  })

  it('takes a burst of failures for one', () => {
    let lane = emptyLane(id)
    for (let count = 0; count < 12; count += 1) lane = laneAfterTry(lane, tried(500), 10)
    expect(lane).toMatchObject({ failures: 5, pausedUntil: 1010, failingSince: 10 })
  })

  it('has failed too long after 120 hours from the first failure', () => {
    const lane = laneAfterTry(laneAfterTry(emptyLane(id), tried(500), 0), tried(500), 50 * hour)
    expect([hasFailedTooLong(lane, 120 * hour - 1), hasFailedTooLong(lane, 120 * hour)]).toEqual([false, true])
  })
})
