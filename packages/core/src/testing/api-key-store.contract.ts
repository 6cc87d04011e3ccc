import fc from 'fast-check'
import { errAsync, okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { ApiKey, ApiKeyUse } from '../access/index.ts'
import { anyApiKey, fewOwners } from '../access/testing/arbitraries.ts'
import type { Uuid } from '../kernel/ids.ts'
import { anyInstant, anyUuid } from '../kernel/testing/arbitraries.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { expectOk, type OpenStore, type StoreHarness } from './store-units.ts'

const anyKeys = fc.uniqueArray(anyApiKey, { maxLength: 12, selector: ({ id }) => id })
const anyOwner = fc.option(fc.constantFrom(...fewOwners, 'nobody'))
const anyLimit = fc.integer({ min: 1, max: 5 })
const fewInstants = [1000, 2000, 3000].map((ms) => 1_767_225_600_000 + ms)

/** No unit of one store may have the id of another. */
const unitIds = fakeIds({ node: 8 })

/**
 * The laws of `ApiKeyStore`.
 *
 * @param open a fresh, empty store each time
 */
export function apiKeyStoreContract(open: OpenStore, numRuns = 20): void {
  describe('ApiKeyStore', () => {
    emptyLaws(open)
    listLaws(open, numRuns)
    useLaws(open, numRuns)
    warningLaws(open, numRuns)
    commitLaws(open)
  })
}

function emptyLaws(open: OpenStore): void {
  it(
    'answers a new store with nothing',
    over(open, async ({ apiKeyStore, clock }) => {
      const id = fakeIds().next()
      expect(await expectOk(apiKeyStore.apiKey(id))).toBeNull()
      expect(await expectOk(apiKeyStore.apiKeys(null, null, 10))).toEqual([])
      expect(await expectOk(apiKeyStore.apiKeyUses([id]))).toEqual([])
      expect(await expectOk(apiKeyStore.dueForWarning(clock.now(), 10))).toEqual([])
    }),
  )
}

function listLaws(open: OpenStore, numRuns: number): void {
  itHolds(
    'shows every key, and lists those of an owner or of all, the newest first, page by page, as a naive model does',
    numRuns,
    fc.asyncProperty(anyKeys, anyOwner, anyLimit, (keys, owner, limit) =>
      over(open, async (store) => {
        await insert(store, keys)
        for (const key of keys) expect(await expectOk(store.apiKeyStore.apiKey(key.id))).toEqual(key)
        expect(await allPages(store, owner, limit)).toEqual(newest(keys, owner))
      })(),
    ),
  )

  itHolds(
    'lists from any id on, whether there is a key of that id or not',
    numRuns,
    fc.asyncProperty(anyKeys, anyOwner, anyUuid, anyLimit, (keys, owner, before, limit) =>
      over(open, async (store) => {
        await insert(store, keys)
        const older = newest(keys, owner).filter(({ id }) => id < before)
        expect(await expectOk(store.apiKeyStore.apiKeys(owner, before, limit))).toEqual(older.slice(0, limit))
      })(),
    ),
  )
}

function useLaws(open: OpenStore, numRuns: number): void {
  itHolds(
    'tells the last use of the keys that it is asked for, without those that were never used',
    numRuns,
    fc.asyncProperty(
      fc.uniqueArray(fc.record({ keyId: anyUuid, lastUsedAt: anyInstant, isAsked: fc.boolean(), isUsed: fc.boolean() }), {
        maxLength: 12,
        selector: ({ keyId }) => keyId,
      }),
      (drawn) =>
        over(open, async (store) => {
          const uses = drawn.filter(({ isUsed }) => isUsed).map(({ keyId, lastUsedAt }) => ({ keyId, lastUsedAt }))
          await insert(store, [], uses)
          const asked = drawn.filter(({ isAsked }) => isAsked).map(({ keyId }) => keyId)
          const found = await expectOk(store.apiKeyStore.apiKeyUses(asked))
          expect(byKey(found)).toEqual(byKey(uses.filter(({ keyId }) => asked.includes(keyId))))
        })(),
    ),
  )

  it(
    'tells the last use of a thousand keys at once',
    over(open, async (store) => {
      const ids = fakeIds()
      const uses = Array.from({ length: 1000 }, (_, index) => ({ keyId: ids.next(), lastUsedAt: 1000 + index }))
      await insert(store, [], uses)
      const found = await expectOk(store.apiKeyStore.apiKeyUses(uses.map(({ keyId }) => keyId)))
      expect(byKey(found)).toEqual(byKey(uses))
    }),
  )
}

function warningLaws(open: OpenStore, numRuns: number): void {
  itHolds(
    'finds the keys whose warning has come, the earliest first',
    numRuns,
    fc.asyncProperty(anyKeys, fc.constantFrom(...fewInstants), fc.integer({ min: 1, max: 12 }), (drawn, now, limit) =>
      over(open, async (store) => {
        const keys = drawn.map((each, index) => ({ ...each, warnAt: [null, ...fewInstants][index % 4] ?? null }))
        await insert(store, keys)
        const due = keys.filter(({ warnAt }) => warnAt !== null && warnAt <= now)
        const found = await expectOk(store.apiKeyStore.dueForWarning(now, limit))
        const instants = due.map(({ warnAt }) => warnAt ?? 0).toSorted((left, right) => left - right)
        expect(found.map(({ warnAt }) => warnAt)).toEqual(instants.slice(0, limit))
        expect(new Set(found.map(({ id }) => id)).size).toBe(found.length)
        // Which of those due at one instant come first is the store's own choice.
        for (const key of found) expect(due).toContainEqual(key)
      })(),
    ),
  )
}

function commitLaws(open: OpenStore): void {
  it(
    'shows at once what a committed unit has made of a key, and nothing of a refused one',
    over(open, async (store) => {
      const { apiKeyStore, transactions } = store
      const [drawn] = fc.sample(anyApiKey, { numRuns: 1, seed: 1 }) as [ApiKey]
      const key: ApiKey = { ...drawn, revokedAt: null, warnAt: 1000 }
      const revoked: ApiKey = { ...key, revokedAt: 900, warnAt: null, secrets: [], version: key.version + 1 }
      await insert(store, [key], [{ keyId: key.id, lastUsedAt: 60_000 }])
      const refused = transactions.attempt(unitIds.next(), (tx) =>
        tx.apiKeys.find(key).andThen(() => {
          tx.apiKeys.update(revoked)
          return errAsync('refused')
        }),
      )
      expect((await refused).isErr()).toBe(true)
      expect(await expectOk(apiKeyStore.dueForWarning(1000, 10))).toEqual([key])
      const used = { keyId: key.id, lastUsedAt: 120_000 }
      const committed = transactions.attempt(unitIds.next(), (tx) =>
        tx.apiKeys.find(key).andThen(() => {
          tx.apiKeys.update(revoked)
          return tx.apiKeyUses.find(used).map(() => tx.apiKeyUses.update(used))
        }),
      )
      await expectOk(committed)
      expect(await expectOk(apiKeyStore.apiKey(key.id))).toEqual(revoked)
      expect(await expectOk(apiKeyStore.apiKeys(key.owner, null, 10))).toEqual([revoked])
      expect(await expectOk(apiKeyStore.apiKeyUses([key.id]))).toEqual([used])
      expect(await expectOk(apiKeyStore.dueForWarning(1000, 10))).toEqual([])
    }),
  )
}

function newest(keys: readonly ApiKey[], owner: string | null): readonly ApiKey[] {
  return keys.filter((each) => owner === null || each.owner === owner).toSorted((left, right) => (left.id < right.id ? 1 : -1))
}

async function allPages({ apiKeyStore }: StoreHarness, owner: string | null, limit: number): Promise<readonly ApiKey[]> {
  const all: ApiKey[] = []
  for (let before: Uuid | null = null; ; ) {
    const page: readonly ApiKey[] = await expectOk(apiKeyStore.apiKeys(owner, before, limit))
    expect(page.length).toBeLessThanOrEqual(limit)
    all.push(...page)
    before = page.at(-1)?.id ?? null
    if (before === null) return all
  }
}

function byKey(uses: readonly ApiKeyUse[]): readonly ApiKeyUse[] {
  return uses.toSorted((left, right) => (left.keyId < right.keyId ? -1 : 1))
}

async function insert({ transactions }: StoreHarness, keys: readonly ApiKey[], uses: readonly ApiKeyUse[] = []): Promise<void> {
  await expectOk(
    transactions.attempt<null, never>(unitIds.next(), (tx) => {
      for (const key of keys) tx.apiKeys.insert(key)
      for (const use of uses) tx.apiKeyUses.insert(use)
      return okAsync(null)
    }),
  )
}
