import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, serverUrl, type TestDatabase } from './test-database.ts'
import { coreOver, useCases } from './use-cases.ts'

/** Requests to the server, those that begin and commit included, beside what each write use case is allowed. */
describe.skipIf(serverUrl === undefined)('round trips to SQL Server', { timeout: 60_000 }, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  }, 120_000)
  afterAll(() => database.drop(), 60_000)

  it('are at most two for a write besides begin and commit', async () => {
    const { store } = await database.open()
    const cases = useCases(coreOver(store))
    const counted: [name: string, trips: number][] = []
    async function count<T>(name: string, work: () => Promise<T>): Promise<T> {
      const before = store.roundTrips()
      const answer = await work()
      counted.push([name, store.roundTrips() - before])
      return answer
    }
    await count('put a new setting', () => cases.put('limit'))
    await count('put a setting again', () => cases.put('limit', 1))
    const plain = await count('create a payment', () => cases.create(null))
    const named = await count('create a payment with a reference', () => cases.create('reference-1'))
    await count('cancel a payment', () => cases.cancel(named.id))
    await count('process a payment (two units)', () => cases.process(plain.id))
    await count('read a snapshot', async () =>
      (await store.configStore.snapshot('payments' as never, ['/' as never], null))._unsafeUnwrap(),
    )
    const leased = await count('lease and read three streams', async () =>
      (await store.outbox.lease({ owner: 'relay', limit: 10, leaseMs: 10_000, eventLimit: 64 }))._unsafeUnwrap(),
    )
    await count('acknowledge three streams', async () =>
      (
        await store.outbox.record(
          leased.map(({ stream, fence, events }) => ({ kind: 'confirmed', stream, fence, through: events.at(-1)?.sequence ?? 0 })),
        )
      )._unsafeUnwrap(),
    )
    process.stdout.write(`${counted.map(([name, trips]) => `  ${name.padEnd(36)}${trips}\n`).join('')}\n`)
    const allowed = new Map([
      ['process a payment (two units)', 9],
      ['read a snapshot', 1],
      ['acknowledge three streams', 2],
    ])
    for (const [name, trips] of counted) expect(trips, name).toBeLessThanOrEqual(allowed.get(name) ?? 4)
  })
})
