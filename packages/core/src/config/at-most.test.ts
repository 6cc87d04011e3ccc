import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import { atMost } from './at-most.ts'

describe('atMost', () => {
  itHolds(
    'runs all work, never more at a time than the limit, in the order it came',
    100,
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 4 }), fc.nat(20), async (scheduler, limit, pieces) => {
      const within = atMost(limit)
      const begun: number[] = []
      let running = 0
      let most = 0
      const works = Array.from({ length: pieces }, (_, piece) =>
        within(async () => {
          begun.push(piece)
          running += 1
          most = Math.max(most, running)
          await scheduler.schedule(Promise.resolve())
          running -= 1
          return piece
        }),
      )
      const done = Promise.all(works)
      await scheduler.waitFor(done)
      expect(await done).toEqual(begun)
      expect(begun).toEqual(begun.toSorted((one, other) => one - other))
      expect(most).toBe(Math.min(limit, pieces))
    }),
  )

  it('gives the place free of work that fails', async () => {
    const within = atMost(1)
    await expect(within(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await within(async () => 'next')).toBe('next')
  })
})
