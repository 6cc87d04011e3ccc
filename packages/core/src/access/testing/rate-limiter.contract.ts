import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Harness, over, type TestClock } from '../../kernel/testing/harness.ts'
import { itHolds } from '../../kernel/testing/property.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { RateLimitRequest } from '../rate-limit.ts'
import { anyRateLimitRequest } from './arbitraries.ts'
import { rateLimiterModel } from './rate-limiter.model.ts'

export type RateLimiterHarness = Harness<Readonly<{ limiter: RateLimiter; clock: TestClock }>>

type Open = () => Promise<RateLimiterHarness>

const windowSeconds = 900
const minute = 60_000
const request: RateLimitRequest = { partition: 'ip 192.0.2.1', limit: 3, windowSeconds, cost: 1 }

async function outcomes(limiter: RateLimiter, times: number, asked: RateLimitRequest = request): Promise<readonly boolean[]> {
  const decisions: boolean[] = []
  for (let time = 0; time < times; time += 1) decisions.push((await limiter.take(asked)).allowed)
  return decisions
}

/** Brings the clock to the first millisecond of a minute, which is a bucket of the windows here. */
async function toFullMinute(clock: TestClock): Promise<void> {
  await clock.advance(minute - (clock.now() % minute))
}

/**
 * The laws of `RateLimiter`.
 *
 * @param open a limiter that has admitted nothing yet and has room for a few hundred partitions
 */
export function rateLimiterContract(open: Open, numRuns = 50): void {
  describe('RateLimiter', () => {
    limitContract(open)
    timeContract(open)
    propertyContract(open, numRuns)
  })
}

function limitContract(open: Open): void {
  it(
    'admits up to the limit and tells what remains',
    over(open, async ({ limiter }) => {
      expect(await limiter.take(request)).toMatchObject({ allowed: true, limit: 3, remaining: 2, retryAfterSeconds: 0 })
      expect(await limiter.take({ ...request, cost: 2 })).toMatchObject({ allowed: true, remaining: 0 })
      expect(await limiter.take(request)).toMatchObject({ allowed: false, limit: 3, remaining: 0 })
    }),
  )

  it(
    'takes nothing when it refuses',
    over(open, async ({ limiter }) => {
      await limiter.take(request)
      expect((await limiter.take({ ...request, cost: 3 })).allowed).toBe(false)
      expect(await outcomes(limiter, 3)).toEqual([true, true, false])
    }),
  )

  it(
    'never admits what costs more than the limit',
    over(open, async ({ limiter }) => {
      expect(await limiter.take({ ...request, cost: 4 })).toMatchObject({ allowed: false, remaining: 3, resetSeconds: 0 })
    }),
  )

  it(
    'counts partitions apart, also where a name holds braces',
    over(open, async ({ limiter }) => {
      for (const partition of ['a', 'b', '{a}', '{a}b', '}', '{}']) {
        expect(await outcomes(limiter, 2, { ...request, partition, limit: 1 })).toEqual([true, false])
      }
    }),
  )

  it(
    'L19: lets exactly the limit through when takes race',
    over(open, async ({ limiter }) => {
      const decisions = await Promise.all(Array.from({ length: 50 }, async () => await limiter.take({ ...request, limit: 20 })))
      expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(20)
    }),
  )

  it(
    'follows a limit that is lowered or raised at once',
    over(open, async ({ limiter }) => {
      expect(await outcomes(limiter, 3)).toEqual([true, true, true])
      expect(await limiter.take({ ...request, limit: 2 })).toMatchObject({ allowed: false, remaining: 0 })
      expect(await outcomes(limiter, 2, { ...request, limit: 4 })).toEqual([true, false])
    }),
  )
}

function timeContract(open: Open): void {
  it(
    'L19: counts the oldest bucket whole',
    over(open, async ({ limiter, clock }) => {
      await toFullMinute(clock)
      expect(await outcomes(limiter, 4)).toEqual([true, true, true, false])
      await clock.advance(windowSeconds * 1000 + minute - 1)
      expect((await limiter.take(request)).allowed).toBe(false)
      await clock.advance(1)
      expect(await outcomes(limiter, 4)).toEqual([true, true, true, false])
    }),
  )

  it(
    'slides: frees what was taken minute by minute',
    over(open, async ({ limiter, clock }) => {
      await toFullMinute(clock)
      await limiter.take(request)
      await clock.advance(5 * minute)
      await limiter.take({ ...request, cost: 2 })
      await clock.advance(11 * minute)
      expect(await outcomes(limiter, 2)).toEqual([true, false])
      await clock.advance(5 * minute)
      expect(await outcomes(limiter, 3)).toEqual([true, true, false])
    }),
  )

  it(
    'tells when all is available again',
    over(open, async ({ limiter, clock }) => {
      await toFullMinute(clock)
      expect((await limiter.take(request)).resetSeconds).toBe(960)
      await clock.advance(minute - 1)
      expect((await limiter.take(request)).resetSeconds).toBe(901)
    }),
  )

  it(
    'L19: admits no more when the clock is set back',
    over(open, async ({ limiter, clock }) => {
      await clock.advance(minute)
      expect(await outcomes(limiter, 2)).toEqual([true, true])
      await clock.advance(-windowSeconds * 1000)
      expect(await outcomes(limiter, 2)).toEqual([true, false])
      await clock.advance(windowSeconds * 1000)
      expect(await outcomes(limiter, 1)).toEqual([false])
    }),
  )
}

type Step = Readonly<{ waitMs: number; cost: number; partition: string; limit: number }>

const anyStep: fc.Arbitrary<Step> = fc.record({
  waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 * minute }), fc.constantFrom(minute, 14 * minute, 15 * minute, 16 * minute)),
  cost: fc.constantFrom(1, 1, 2, 3),
  partition: fc.constantFrom('a', 'b'),
  limit: fc.constantFrom(4, 4, 4, 6),
})

const anyHistory = fc.record({
  startMs: fc.integer({ min: 0, max: minute }),
  steps: fc.array(anyStep, { maxLength: 40, size: 'max' }),
})

function propertyContract(open: Open, numRuns: number): void {
  itHolds(
    'L19: admits at most the limit in any window, and decides as a naive log of all requests does',
    numRuns,
    fc.asyncProperty(anyHistory, ({ startMs, steps }) =>
      over(open, async ({ limiter, clock }) => {
        const model = rateLimiterModel()
        await clock.advance(startMs)
        for (const { waitMs, cost, partition, limit } of steps) {
          await clock.advance(waitMs)
          const asked = { partition, limit, windowSeconds, cost }
          const decision = await limiter.take(asked)
          expect(decision).toEqual(model.decide(asked, clock.now()))
          if (decision.allowed) model.admit(asked, clock.now())
        }
        expect(model.mostAdmitted('a', windowSeconds)).toBeLessThanOrEqual(6)
        expect(model.mostAdmitted('b', windowSeconds)).toBeLessThanOrEqual(6)
      })(),
    ),
  )

  itHolds(
    'admits a refused request after exactly the time it told, and none sooner by more than a second',
    numRuns,
    fc.asyncProperty(anyRateLimitRequest, fc.integer({ min: 0, max: minute }), (asked, startMs) =>
      over(open, async ({ limiter, clock }) => {
        fc.pre(asked.cost <= asked.limit)
        await clock.advance(startMs)
        await limiter.take({ ...asked, cost: asked.limit })
        const { allowed, retryAfterSeconds } = await limiter.take(asked)
        expect(allowed).toBe(false)
        await clock.advance((retryAfterSeconds - 1) * 1000)
        expect((await limiter.take(asked)).allowed).toBe(false)
        await clock.advance(1000)
        expect((await limiter.take(asked)).allowed).toBe(true)
      })(),
    ),
  )
}
