import { describe, expect, it } from 'vitest'
import type { Stream } from '../events/index.ts'
import { expectOk } from '../testing/store-units.ts'
import { type AccessWorld, accessWorld, dayMs, deafInstance, issued, revoke, rotated, watching } from './testing/access-under-test.ts'

async function alerts({ ports }: AccessWorld): Promise<readonly (readonly [string, unknown, unknown])[]> {
  const events = await expectOk(ports.outbox.pending([{ stream: 'system' as Stream, after: 0 }], 1000))
  return events.map(({ event }) => {
    if (!('component' in event.payload)) throw new Error('no alert')
    const { severity, details } = event.payload
    return [severity, details['subject'], details['daysLeft']] as const
  })
}

/** Time in which these instances look twice a day, all at once. */
async function pass(worlds: readonly AccessWorld[], days: number): Promise<void> {
  for (let halves = 0; halves < days * 2; halves += 1) {
    await worlds[0]?.ports.clock.advance(dayMs / 2)
    await Promise.all(worlds.map((world) => watching(world, async () => {})))
  }
}

const everyWarning = [
  ['WARNING', 'api-key-expiring', 14],
  ['WARNING', 'api-key-expiring', 7],
  ['WARNING', 'api-key-expiring', 1],
  ['ERROR', 'api-key-expired', 0],
]

describe('warnings that an API key expires', () => {
  it('are published at 14, 7 and 1 days and at the end, once, whatever the number of instances', async () => {
    const world = accessWorld()
    const instances = [world, deafInstance(world), deafInstance(world)]
    const { key } = await issued(world)
    await world.ports.clock.advance(74 * dayMs)
    await pass(instances, 1.5)
    expect(await alerts(world)).toEqual([])
    await pass(instances, 16)
    expect(await alerts(world)).toEqual(everyWarning)
    expect((await expectOk(world.ports.apiKeyStore.apiKey(key.id)))?.warnAt).toBeNull()
  })

  it('tell of the current secret, which rotation replaces', async () => {
    const world = accessWorld()
    const { key } = await issued(world)
    await world.ports.clock.advance(75 * dayMs)
    await pass([world], 5)
    await rotated(world, key.id)
    await world.ports.clock.advance(69 * dayMs)
    await pass([world], 1)
    expect(await alerts(world)).toHaveLength(1)
    await pass([world], 21)
    expect(await alerts(world)).toEqual([everyWarning[0], ...everyWarning])
  })

  it('end with a key that is revoked', async () => {
    const world = accessWorld()
    const { key } = await issued(world)
    await revoke(world, key.id)
    await world.ports.clock.advance(100 * dayMs)
    await watching(world, async () => {})
    expect(await alerts(world)).toEqual([])
  })

  it('that were missed are made up for by the last of them', async () => {
    const world = accessWorld()
    for (let count = 0; count < 120; count += 1) await issued(world)
    await world.ports.clock.advance(84.5 * dayMs)
    await watching(world, () => world.ports.clock.advance(20_000))
    expect(await alerts(world)).toEqual(Array.from({ length: 120 }, () => ['WARNING', 'api-key-expiring', 6]))
  })

  it('are fewer for a key that lives for less', async () => {
    const world = accessWorld()
    await issued(world, { lifetimeDays: 7 })
    await pass([world], 8)
    expect((await alerts(world)).map(([, , left]) => left)).toEqual([1, 0])
  })
})
