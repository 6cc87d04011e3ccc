import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeEpochStart } from '../kernel/testing/fake-clock.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { bucketMs, fullerOf, giveBack, isOver, type RateLimitRequest, type RateWindow, takeFrom } from './rate-limit.ts'

const request: RateLimitRequest = { partition: 'a', limit: 10, windowSeconds: 900, cost: 1 }
const minute = 60_000

function filled(takes: readonly Readonly<{ at: number; cost: number }>[]): RateWindow {
  let window: RateWindow | null = null
  for (const { at, cost } of takes.toSorted((one, other) => one.at - other.at)) {
    window = takeFrom(window, { ...request, limit: 1000, cost }, fakeEpochStart + at).window
  }
  return window ?? takeFrom(null, { ...request, cost: 11 }, fakeEpochStart).window
}

const anyWindow = fc
  .array(fc.record({ at: fc.integer({ min: 0, max: 40 * minute }), cost: fc.integer({ min: 1, max: 5 }) }), { maxLength: 12 })
  .map(filled)

function remainingAt(window: RateWindow | null, at: number): number {
  return takeFrom(window, { ...request, limit: 1000, cost: 1 }, fakeEpochStart + at).decision.remaining
}

describe('rate windows', () => {
  it('have buckets that are never shorter than a fifteenth', () => {
    expect([1, 900, 7].map(bucketMs)).toEqual([67, 60_000, 467])
  })

  itHolds(
    'L19: of two, the fuller admits no more than either',
    200,
    fc.asyncProperty(anyWindow, anyWindow, fc.integer({ min: 40 * minute, max: 60 * minute }), async (one, other, at) => {
      const fuller = remainingAt(fullerOf(one, other), at)
      expect(fuller).toBeLessThanOrEqual(Math.min(remainingAt(one, at), remainingAt(other, at)))
    }),
  )

  it('give back what was taken', () => {
    const { window, bucket } = takeFrom(null, { ...request, cost: 10 }, fakeEpochStart)
    expect(takeFrom(giveBack(window, bucket, 4), request, fakeEpochStart).decision).toMatchObject({ allowed: true, remaining: 3 })
  })

  it('give nothing back of a bucket that is gone', () => {
    const first = takeFrom(null, request, fakeEpochStart)
    const later = takeFrom(first.window, { ...request, cost: 5 }, fakeEpochStart + 16 * minute)
    expect(giveBack(later.window, first.bucket, 1)).toEqual(later.window)
  })

  itHolds(
    'are over when they admit everything again',
    200,
    fc.asyncProperty(anyWindow, fc.integer({ min: 40 * minute, max: 60 * minute }), async (window, at) => {
      if (isOver(window, 900, fakeEpochStart + at)) expect(remainingAt(window, at)).toBe(999)
    }),
  )
})
