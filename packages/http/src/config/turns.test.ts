import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { turns } from './turns.ts'

describe('turns', () => {
  it('admits so many in each turn, first come, first served, and rests when nobody waits', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 8 }),
        async (perTurn, arrivals) => {
          const pending: (() => void)[] = []
          const take = turns(perTurn, (begin) => void pending.push(begin))
          const admitted: number[] = []
          let arrived = 0
          const turn = async (count: number): Promise<void> => {
            const before = admitted.length
            for (const begin of pending.splice(0)) begin()
            await Promise.resolve()
            const all = Array.from({ length: count }, () => arrived++)
            for (const each of all) {
              const place = take()
              if (place === null) admitted.push(each)
              else void place.then(() => admitted.push(each))
            }
            await new Promise((resolve) => setTimeout(resolve, 0))
            expect(admitted.length - before).toBeLessThanOrEqual(perTurn)
            expect(pending.length).toBeLessThanOrEqual(1)
          }
          for (const count of arrivals) await turn(count)
          while (pending.length > 0) await turn(0)
          expect(admitted).toEqual(Array.from({ length: arrived }, (_, index) => index))
        },
      ),
      { numRuns: 40 },
    ))

  it('lets other work of the event loop come in between', async () => {
    const take = turns(1)
    const order: string[] = []
    const users = [1, 2, 3].map(async (each) => {
      await take()
      order.push(`user ${each}`)
      if (each === 1) setImmediate(() => order.push('other work'))
    })
    await Promise.all(users)
    expect(order.indexOf('other work')).toBeLessThan(order.indexOf('user 3'))
  })
})
