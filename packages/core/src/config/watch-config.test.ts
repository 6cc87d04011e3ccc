import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCursor, select, watchSelection } from './changes.ts'
import { anyFewAddress, anyWatchSelection } from './testing/arbitraries.ts'
import { address, errorOf, okOf, serviceUnderTest } from './testing/service-under-test.ts'

const all = watchSelection(null, null)
const limit = address('payments/limit')

/** Small, so that the memory of the feed is trimmed and batches are cut within a few writes. */
const anyLimits = fc.record({
  config: fc.record({
    feed: fc.record({ memory: fc.integer({ min: 1, max: 5 }), page: fc.integer({ min: 1, max: 3 }) }),
    watchBatch: fc.integer({ min: 1, max: 3 }),
  }),
  relay: fc.constant({ streams: 4, page: 4 }),
})

describe('watch', () => {
  it('begins at the head without a cursor, and hears the next write at once', async () => {
    const { core, put, run } = serviceUnderTest()
    const stop = run()
    okOf(await put(limit, 1))
    const watch = okOf(await core.config.watch(all, null))
    const heard = watch.next(15_000)
    okOf(await put(limit, 2, { kind: 'version', version: 1 }))
    expect(okOf(await heard).units).toEqual([{ revision: 2, changes: [{ ...limit, version: 2, op: 'put' }] }])
    await stop()
  })

  it('goes on after a cursor, exclusively', async () => {
    const { core, put } = serviceUnderTest()
    okOf(await put(limit, 1))
    okOf(await put(limit, 2, { kind: 'version', version: 1 }))
    const watch = okOf(await core.config.watch(all, '1'))
    expect(okOf(await watch.next(0)).units.map(({ revision }) => revision)).toEqual([2])
  })

  it('takes a scope to mean itself and its ancestors', async () => {
    const { core, put } = serviceUnderTest()
    for (const scope of ['/', '/production', '/production/first-cu', '/staging']) okOf(await put(address('payments/limit', scope), 1))
    const watch = okOf(await core.config.watch(watchSelection(null, address('x/y', '/production').scope), '0'))
    expect(okOf(await watch.next(0)).units.map(({ revision }) => revision)).toEqual([1, 2])
  })

  it('answers a heartbeat at the head when nothing it wants happens', async () => {
    const { core, put, ports, run } = serviceUnderTest()
    const stop = run()
    const watch = okOf(await core.config.watch(watchSelection(address('ledger/x').component, null), null))
    const beat = watch.next(15_000)
    okOf(await put(limit, 1))
    await ports.clock.advance(15_500)
    expect(okOf(await beat)).toMatchObject({ units: [], cursor: { revision: 1 } })
    await stop()
  })

  it('ends a pending wait when it is closed', async () => {
    const { core, run } = serviceUnderTest()
    const stop = run()
    const watch = okOf(await core.config.watch(all, null))
    const heard = watch.next(15_000)
    await Promise.resolve()
    watch.close()
    expect(okOf(await heard).units).toEqual([])
    await stop()
  })

  it.each(['gone.1', '99'])('refuses the cursor %s, which is of another epoch or beyond the head', async (cursor) => {
    const { core } = serviceUnderTest()
    expect(errorOf(await core.config.watch(all, cursor)).kind).toBe('cursor-gone')
  })

  it('hears nothing twice and misses nothing when it reads further back than the feed remembers', async () => {
    const { core, put, ports, run } = serviceUnderTest()
    for (let version = 0; version < 1200; version += 1) okOf(await put(limit, version, { kind: 'version', version }))
    const stop = run()
    await ports.clock.advance(500)
    const watch = okOf(await core.config.watch(all, '0'))
    const revisions: number[] = []
    while (revisions.length < 1200) revisions.push(...okOf(await watch.next(0)).units.map(({ revision }) => revision))
    expect(revisions).toEqual(Array.from({ length: 1200 }, (_, index) => index + 1))
    await stop()
  })

  it('L6: sees every matching revision exactly once, in order, however often it reconnects', async () => {
    const anySteps = fc.array(
      fc.oneof(
        anyFewAddress.map((at) => ({ at })),
        fc.constant('reconnect' as const),
      ),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(anySteps, anyWatchSelection, fc.boolean(), anyLimits, async (steps, selection, isFollowed, limits) => {
        const { core, put, ports, run } = serviceUnderTest(undefined, limits)
        const stop = isFollowed ? run() : async () => {}
        await ports.clock.advance(500)
        const heard: unknown[] = []
        let watch = okOf(await core.config.watch(selection, '0'))
        for (const step of steps) {
          if (step === 'reconnect') watch = okOf(await core.config.watch(selection, formatCursor(watch.cursor())))
          else {
            const { version } = (await core.config.entry(step.at)).unwrapOr({ version: 0 })
            await put(step.at, 'value', { kind: 'version', version })
          }
          await ports.clock.advance(isFollowed ? 250 : 0)
          if (heard.length % 2 === 0) heard.push(...okOf(await watch.next(0)).units)
        }
        await ports.clock.advance(1000)
        for (let batch = okOf(await watch.next(0)); batch.units.length > 0; batch = okOf(await watch.next(0))) heard.push(...batch.units)
        const written = okOf(await ports.configStore.changes(0 as never, all, 1000)).units
        expect(heard).toEqual(written.flatMap((unit) => select(unit, selection) ?? []))
        await stop()
      }),
      { numRuns: 100 },
    )
  })
})
