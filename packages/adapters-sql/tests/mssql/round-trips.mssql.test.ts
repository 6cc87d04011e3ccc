import { cancelSource } from '@cbp/core'
import { fakeRandom } from '@cbp/core/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { storeOver } from '../../src/mssql/mssql-store.ts'
import { clock } from '../plain-store.ts'
import { type CountedDriver, countedDriver } from './counted-driver.ts'
import { createTestDatabase, serverUrl, type TestDatabase } from './test-database.ts'
import { type UseCases, useCases } from './use-cases.ts'

type Count = (name: string, work: () => Promise<unknown>) => Promise<void>

/** Requests to the server, those that begin and commit included. Counts, not times: one more is a regression. */
describe.skipIf(serverUrl === undefined)('round trips to SQL Server', { timeout: 120_000 }, () => {
  let database: TestDatabase
  const counted: [name: string, trips: number, allowed: number][] = []
  beforeAll(async () => {
    database = await createTestDatabase()
  }, 120_000)
  afterAll(async () => {
    process.stdout.write(`${counted.map(([name, trips, allowed]) => `  ${name.padEnd(52)}${trips} of ${allowed}\n`).join('')}\n`)
    await database.drop()
  }, 60_000)

  async function opened(): Promise<Readonly<{ cases: UseCases; driver: CountedDriver; count: (allowed: number) => Count }>> {
    await (await database.open()).close?.()
    const driver = countedDriver(database.driver)
    const store = await storeOver({ primary: driver, replica: null }, { clock, random: fakeRandom(1) })
    return {
      driver,
      cases: useCases(store),
      count: (allowed) => async (name, work) => {
        const before = driver.roundTrips()
        await work()
        const trips = driver.roundTrips() - before
        counted.push([name, trips, allowed])
        expect(trips, name).toBeLessThanOrEqual(allowed)
      },
    }
  }

  it('are two for each write of settings: one read, one batch', async () => {
    const { cases, count } = await opened()
    const each = count(2)
    await each('put a new setting', () => cases.put('limit'))
    await each('put a setting again', () => cases.put('limit', 1))
    await each('roll a setting back', () => cases.rollback('limit', 2))
    await each('unset a setting', () => cases.unset('limit', 3))
    await each('put a setting of the service, three scopes deep', () => cases.putTunable())
  })

  it('are two for each unit of a payment', async () => {
    const { cases, count } = await opened()
    const each = count(2)
    await each('create a payment', () => cases.create(null))
    await each('create a payment with a reference', () => cases.create('reference-1'))
    const [first, second, third] = [await cases.create(null), await cases.create(null), await cases.create(null)]
    await each('amend a payment', () => cases.amend(first.id))
    await each('cancel a payment', () => cases.cancel(first.id))
    await count(4)('process a payment (two units)', () => cases.process(second.id))
    await each('receive a status by webhook', () => cases.receive('hook-1', third.id))
    await count(2)('receive it again (one read, one rollback)', () => cases.receive('hook-1', third.id))
  })

  it('are two for each change of a subscription', async () => {
    const { cases, count } = await opened()
    const each = count(2)
    // The first one ever may make the key that seals secrets.
    const { subscription } = await cases.subscribe()
    // One of them reads how many there are, outside of the unit.
    await count(3)('subscribe', () => cases.subscribe())
    await each('amend a subscription', () => cases.amendSubscription(subscription.id, { description: 'other' }))
    await each('move a subscription', () => cases.amendSubscription(subscription.id, { url: 'https://shop.example/other' }))
    await each('send a test', () => cases.sendTest(subscription.id))
    await each('rotate a secret', () => cases.rotate(subscription.id))
    await each('disable a subscription with a delivery', () => cases.amendSubscription(subscription.id, { active: false }))
    await each('enable a subscription', () => cases.amendSubscription(subscription.id, { active: true }))
    await each('delete a subscription', () => cases.unsubscribe(subscription.id))
  })

  it('are two for each unit behind an event: the consumer, the lease of a lane, its deliveries', async () => {
    const { cases, driver } = await opened()
    const { subscription } = await cases.subscribe()
    const other = await cases.subscribe()
    for (let payment = 0; payment < 3; payment += 1) await cases.create(null)
    const cancel = cancelSource()
    const running = cases.core.run(cancel.signal)
    for (const { id } of [subscription, other.subscription]) {
      await vi.waitFor(async () => expect(await cases.delivered(id)).toBe(3), { timeout: 60_000, interval: 50 })
    }
    cancel.cancel()
    await running
    const labels = [
      ['a consumer adds deliveries', /INSERT INTO webhook_deliveries/],
      ['record deliveries', /UPDATE webhook_deliveries/],
      ['lease a lane', /UPDATE webhook_lanes/],
    ] as const
    for (const [name, label] of labels) {
      const units = driver.written().filter((sent) => label.test(sent.at(-1) ?? ''))
      const trips = Math.max(...units.map((sent) => sent.length))
      counted.push([name, trips, 2])
      expect(trips, name).toBeLessThanOrEqual(2)
    }
  })

  it('do not grow with the streams of a lease', async () => {
    const { cases, count } = await opened()
    for (let payment = 0; payment < 3; payment += 1) await cases.create(null)
    let leased: Awaited<ReturnType<UseCases['lease']>> = []
    await count(4)('lease and read three streams', async () => {
      leased = await cases.lease()
      expect(leased).toHaveLength(3)
    })
    await count(2)('acknowledge three streams', () => cases.acknowledge(leased))
    await count(1)('read a snapshot', () => cases.snapshot())
  })

  it('are one for all that has expired, up to 500 rows', async () => {
    const { cases, count } = await opened()
    for (let payment = 0; payment < 3; payment += 1) await cases.create(null)
    await count(1)('drop expired keys', async () => expect(await cases.dropExpired()).toBe(3))
  })
})
