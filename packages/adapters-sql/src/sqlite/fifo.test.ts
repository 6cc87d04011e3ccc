import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fifo } from './fifo.ts'

it('gives items back in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(1500)), { maxLength: 8 }), (pushes) => {
      const queue = fifo<number>()
      const model: number[] = []
      for (const count of pushes) {
        if (count === null) expect(queue.shift()).toBe(model.shift())
        for (let item = 0; item < (count ?? 0); item += 1) {
          queue.push(item)
          model.push(item)
        }
        expect(queue.size()).toBe(model.length)
        expect(queue.peek()).toBe(model[0])
      }
      while (model.length > 0) expect(queue.shift()).toBe(model.shift())
    }),
    { numRuns: 20 },
  )
})
