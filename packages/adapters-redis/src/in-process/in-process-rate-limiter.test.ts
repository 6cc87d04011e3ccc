import { fakeClock, rateLimiterContract } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { type InProcessRateLimiter, inProcessRateLimiter } from './in-process-rate-limiter.ts'

rateLimiterContract(async () => {
  const clock = fakeClock()
  return { limiter: inProcessRateLimiter({ capacity: 100, clock }), clock }
}, 200)

const request = { partition: 'a', limit: 5, windowSeconds: 900, cost: 1 }

function admitted(limiter: InProcessRateLimiter, partition: string, times: number): number {
  return Array.from({ length: times }, () => limiter.takeNow({ ...request, partition })).filter(({ decision }) => decision.allowed).length
}

describe('inProcessRateLimiter', () => {
  it('L19: admits no more to a partition that it had to forget', () => {
    const limiter = inProcessRateLimiter({ capacity: 10, clock: fakeClock() })
    expect(admitted(limiter, 'a', 4)).toBe(4)
    for (let other = 0; other < 20; other += 1) admitted(limiter, `other ${other}`, 1)
    expect(admitted(limiter, 'a', 4)).toBe(1)
  })

  it('lets a flood of strangers cost a newcomer little', () => {
    const limiter = inProcessRateLimiter({ capacity: 1000, clock: fakeClock() })
    const flooded = { ...request, limit: 1000 }
    for (let stranger = 0; stranger < 20_000; stranger += 1) limiter.takeNow({ ...flooded, partition: `stranger ${stranger}` })
    expect(limiter.takeNow({ ...flooded, partition: 'newcomer' }).decision.remaining).toBeGreaterThan(900)
  })

  it('forgets crowds of windows that are over', async () => {
    const clock = fakeClock()
    const limiter = inProcessRateLimiter({ capacity: 1, clock })
    for (let windowSeconds = 1; windowSeconds <= 20; windowSeconds += 1) {
      limiter.takeNow({ ...request, windowSeconds })
      await clock.advance(60_000)
    }
    expect(limiter.takeNow({ ...request, windowSeconds: 1 }).decision.remaining).toBe(4)
  })

  it('counts a partition afresh when what it took is over', async () => {
    const clock = fakeClock()
    const limiter = inProcessRateLimiter({ capacity: 1, clock })
    admitted(limiter, 'a', 5)
    await clock.advance(16 * 60_000)
    admitted(limiter, 'b', 1)
    expect(admitted(limiter, 'a', 6)).toBe(5)
  })

  it('gives back what was taken and then refused elsewhere', () => {
    const limiter = inProcessRateLimiter({ capacity: 10, clock: fakeClock() })
    admitted(limiter, 'a', 4)
    const { decision, undo } = limiter.takeNow(request)
    expect(decision.allowed).toBe(true)
    undo()
    expect(admitted(limiter, 'a', 2)).toBe(1)
  })

  it('gives nothing back where nothing was taken', () => {
    const limiter = inProcessRateLimiter({ capacity: 10, clock: fakeClock() })
    admitted(limiter, 'a', 5)
    limiter.takeNow(request).undo()
    expect(admitted(limiter, 'a', 1)).toBe(0)
  })
})
