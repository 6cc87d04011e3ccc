import fc from 'fast-check'
import { okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import type { DataKey, DataKeyPurpose } from '../sealing/index.ts'
import { anyDataKey } from '../sealing/testing/arbitraries.ts'
import { expectOk, type OpenStore, type StoreHarness } from './store-units.ts'

const purposes: readonly (DataKeyPurpose | null)[] = [null, 'api-key-pepper', 'audit-chain']

const anyKeys = fc.uniqueArray(anyDataKey, { maxLength: 8, selector: ({ purpose, version }) => `${purpose} ${version}` })

/** No unit of one store may have the id of another. */
const unitIds = fakeIds({ node: 9 })

/**
 * The laws of `DataKeyStore`.
 *
 * @param open a fresh, empty store each time
 */
export function dataKeyStoreContract(open: OpenStore, numRuns = 20): void {
  describe('DataKeyStore', () => {
    itHolds(
      'lists the keys of one purpose, and of all, the newest version first',
      numRuns,
      fc.asyncProperty(anyKeys, (keys) =>
        over(open, async (store) => {
          await insert(store, keys)
          for (const purpose of purposes) {
            const listed = await expectOk(store.dataKeyStore.dataKeys(purpose))
            const expected = keys.filter((each) => purpose === null || each.purpose === purpose)
            // Which purpose comes first among keys of one version is the store's own choice.
            expect(listed.map(({ version }) => version)).toEqual(versionsOf(expected))
            expect(listed.toSorted(byPurpose)).toEqual(expected.toSorted(byPurpose))
          }
        })(),
      ),
    )

    it(
      'shows a key that was sealed anew at once, under its version',
      over(open, async (store) => {
        const keys = [1, 2].map((version): DataKey => ({ purpose: 'audit-chain', version, sealed: `old ${version}`, createdAt: version }))
        await insert(store, keys)
        const [first, second] = keys as [DataKey, DataKey]
        const resealed = { ...first, sealed: 'new 1' }
        const committed = store.transactions.attempt(unitIds.next(), (tx) =>
          tx.dataKeys.find(first).map(() => tx.dataKeys.update(resealed)),
        )
        await expectOk(committed)
        expect(await expectOk(store.dataKeyStore.dataKeys('audit-chain'))).toEqual([second, resealed])
        expect(await expectOk(store.dataKeyStore.dataKeys('api-key-pepper'))).toEqual([])
      }),
    )
  })
}

function versionsOf(keys: readonly DataKey[]): readonly number[] {
  return keys.map(({ version }) => version).toSorted((left, right) => right - left)
}

function byPurpose(left: DataKey, right: DataKey): number {
  return left.version - right.version || (left.purpose < right.purpose ? -1 : 1)
}

async function insert({ transactions }: StoreHarness, keys: readonly DataKey[]): Promise<void> {
  await expectOk(
    transactions.attempt<null, never>(unitIds.next(), (tx) => {
      for (const key of keys) tx.dataKeys.insert(key)
      return okAsync(null)
    }),
  )
}
