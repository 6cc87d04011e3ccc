import fc from 'fast-check'
import { okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { DeadLetter, DeadLetterFilter } from '../events/index.ts'
import { anyDeadLetter } from '../events/testing/arbitraries.ts'
import type { IdSource, Uuid } from '../kernel/ids.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { expectOk, type OpenStore, type StoreHarness } from './store-units.ts'

const anyLetters = fc.uniqueArray(anyDeadLetter, { maxLength: 12, selector: ({ id }) => id })

const anyFilter: fc.Arbitrary<DeadLetterFilter> = fc.record({
  consumer: fc.constantFrom(null, 'ledger', 'Ledger', 'ledger ', 'webhooks', 'nobody'),
  state: fc.constantFrom(null, 'dead', 'replayed', 'discarded'),
})

/**
 * The laws of `DeadLetterStore`.
 *
 * @param open a fresh, empty store each time
 */
export function deadLetterStoreContract(open: OpenStore, numRuns = 20): void {
  describe('DeadLetterStore', () => {
    itHolds(
      'lists, shows and counts as a naive model does',
      numRuns,
      fc.asyncProperty(anyLetters, anyFilter, fc.integer({ min: 1, max: 6 }), fc.nat(12), (letters, filter, limit, start) =>
        over(open, async (store) => {
          await insert(store, fakeIds(), letters)
          const before = letters[start]?.id ?? null
          expect(await expectOk(store.deadLetterStore.deadLetters(filter, before, limit))).toEqual(
            listed(letters, filter, before).slice(0, limit),
          )
          expect(await expectOk(store.deadLetterStore.deadCount())).toBe(letters.filter(({ state }) => state === 'dead').length)
          for (const letter of letters) expect(await expectOk(store.deadLetterStore.deadLetter(letter.id))).toEqual(letter)
        })(),
      ),
    )

    it(
      'answers null for a letter that is not there',
      over(open, async (store) => {
        expect(await expectOk(store.deadLetterStore.deadLetter(fakeIds().next()))).toBeNull()
      }),
    )

    it(
      'lists every letter once, page after page',
      over(open, async (store) => {
        const letters = fc.sample(anyDeadLetter, { numRuns: 25, seed: 1 })
        await insert(store, fakeIds(), letters)
        const filter = { consumer: null, state: null }
        const read: DeadLetter[] = []
        for (let page = await expectOk(store.deadLetterStore.deadLetters(filter, null, 4)); page.length > 0; ) {
          read.push(...page)
          page = await expectOk(store.deadLetterStore.deadLetters(filter, page.at(-1)?.id ?? null, 4))
        }
        expect(read).toEqual(listed(letters, filter, null))
      }),
    )

    it(
      'shows at once what a committed unit has made of a letter, and nothing of a refused one',
      over(open, async (store) => {
        const ids = fakeIds()
        const [sampled] = fc.sample(anyDeadLetter, { numRuns: 1, seed: 1 }) as [DeadLetter]
        const letter: DeadLetter = { ...sampled, state: 'dead', settled: null }
        await insert(store, ids, [letter])
        const settled = { at: store.clock.now(), actor: 'cli:operator', reason: 'obsolete' }
        const discarded: DeadLetter = { ...letter, state: 'discarded', settled }
        await expectOk(
          store.transactions.attempt(ids.next(), (tx) => tx.deadLetters.find(letter).map(() => tx.deadLetters.update(discarded))),
        )
        expect(await expectOk(store.deadLetterStore.deadLetter(letter.id))).toEqual(discarded)
        expect(await expectOk(store.deadLetterStore.deadCount())).toBe(0)
        expect(await expectOk(store.deadLetterStore.deadLetters({ consumer: null, state: 'dead' }, null, 10))).toEqual([])
      }),
    )
  })
}

function listed(letters: readonly DeadLetter[], { consumer, state }: DeadLetterFilter, before: Uuid | null): readonly DeadLetter[] {
  return letters
    .filter((letter) => (consumer === null || letter.consumer === consumer) && (state === null || letter.state === state))
    .filter(({ id }) => before === null || id < before)
    .toSorted((left, right) => (left.id < right.id ? 1 : -1))
}

async function insert({ transactions }: StoreHarness, ids: IdSource, letters: readonly DeadLetter[]): Promise<void> {
  await expectOk(
    transactions.attempt(ids.next(), (tx) => {
      for (const letter of letters) tx.deadLetters.insert(letter)
      return okAsync(null)
    }),
  )
}
