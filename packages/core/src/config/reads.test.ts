import fc from 'fast-check'
import { ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { createCore } from '../create-core.ts'
import { fakeClock } from '../kernel/testing/fake-clock.ts'
import { fakeSignals } from '../kernel/testing/fake-signals.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { FakePorts } from '../testing/fake-ports.ts'
import { fakeStore } from '../testing/fake-store/fake-store.ts'
import { watchSelection } from './changes.ts'
import type { ConfigStore } from './ports/config-store.ts'
import { address, caller, errorOf, okOf, raced, serviceUnderTest } from './testing/service-under-test.ts'
import type { ConfigWatch } from './watch-config.ts'

const root = address('payments/limit')
const production = address('payments/limit', '/production')

describe('get', () => {
  it('merges the scope chain and tells where each part comes from', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(root, { amount: 1, currency: 'EUR' }))
    okOf(await put(production, { amount: 2 }))
    expect(okOf(await core.config.get(address('payments/limit', '/production/first-cu')))).toMatchObject({
      value: { amount: 2, currency: 'EUR' },
      version: 1,
      revision: 2,
      entryEtag: null,
      provenance: [
        { pointer: '/amount', scope: '/production', version: 1, revision: 2 },
        { pointer: '/currency', scope: '/', version: 1, revision: 1 },
      ],
    })
  })

  it('inherits again below a tombstone, at the revision of the tombstone', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(root, 1))
    okOf(await put(production, 2))
    okOf(await core.config.unset({ ...production, precondition: { kind: 'version', version: 1 }, reason: '', caller }))
    expect(okOf(await core.config.get(production))).toMatchObject({ value: 1, revision: 3 })
  })

  it('shows the past by revision and by instant', async () => {
    const { put, core, ports } = serviceUnderTest()
    okOf(await put(root, 'first'))
    const then = ports.clock.now()
    await ports.clock.advance(1000)
    okOf(await put(root, 'second', { kind: 'version', version: 1 }))
    expect(okOf(await core.config.get(root, { kind: 'revision', revision: 1 as Revision })).value).toBe('first')
    expect(okOf(await core.config.get(root, { kind: 'instant', instant: then + 999 })).value).toBe('first')
    expect(okOf(await core.config.get(root, { kind: 'instant', instant: then + 1000 })).value).toBe('second')
    expect(errorOf(await core.config.get(root, { kind: 'instant', instant: then - 1 })).kind).toBe('config-not-found')
  })

  it('refuses a revision that does not exist yet', async () => {
    const { core } = serviceUnderTest()
    expect(errorOf(await core.config.get(root, { kind: 'revision', revision: 7 as Revision }))).toEqual({
      kind: 'revision-beyond-head',
      revision: 7,
      head: 0,
    })
  })

  it('answers shipped defaults of the service itself', async () => {
    const { core } = serviceUnderTest()
    expect(okOf(await core.config.get(address('delivery/relay.lease-ms')))).toMatchObject({
      value: 10_000,
      version: 0,
      revision: 0,
      provenance: [{ pointer: '', scope: null }],
    })
  })
})

describe('cache-aside', () => {
  it('reads the store once for many readers of one setting', async () => {
    let reads = 0
    const service = serviceUnderTest((ports) => ({
      ...ports,
      configStore: {
        ...ports.configStore,
        chain: (...args) => {
          reads += 1
          return ports.configStore.chain(...args)
        },
      },
    }))
    const stop = service.run()
    okOf(await service.put(root, 1))
    await service.ports.clock.advance(1000)
    reads = 0
    await Promise.all(Array.from({ length: 20 }, () => service.core.config.get(root)))
    await service.core.config.get(root)
    expect(reads).toBe(1)
    await stop()
  })

  it('sends no herd to the store while the cache is away', async () => {
    let reads = 0
    let reading = 0
    let most = 0
    const service = serviceUnderTest((ports) => ({
      ...ports,
      configCache: { read: async () => null, write: async () => {} },
      configStore: {
        ...ports.configStore,
        chain: (...args) => {
          // The background work reads settings of its own.
          if (args[0] !== root.component) return ports.configStore.chain(...args)
          reads += 1
          reading += 1
          most = Math.max(most, reading)
          return ResultAsync.fromSafePromise(ports.clock.sleep(10)).andThen(() => {
            reading -= 1
            return ports.configStore.chain(...args)
          })
        },
      },
    }))
    const stop = service.run()
    await service.ports.clock.advance(1000)
    const asked = Array.from({ length: 300 }, (_, index) => service.core.config.get(address(`payments/limit-${index % 100}`)))
    await service.ports.clock.advance(1000)
    await Promise.all(asked)
    expect({ reads, most }).toEqual({ reads: 100, most: 16 })
    await stop()
  })

  it('keeps for a short time that nothing is there', async () => {
    const { core, ports, run } = serviceUnderTest()
    const stop = run()
    await ports.clock.advance(1000)
    expect(errorOf(await core.config.get(root)).kind).toBe('config-not-found')
    const { epoch } = okOf(await ports.configStore.head())
    expect(await ports.configCache.read(`${epoch}:payments/limit/`)).toMatchObject({ entry: null })
    await ports.clock.advance(6001)
    expect(await ports.configCache.read(`${epoch}:payments/limit/`)).toBeNull()
    await stop()
  })

  it('L7: shows a write to everybody who asks after its answer, however reads and writes interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.boolean(), { minLength: 2, maxLength: 12 }), async (scheduler, steps) => {
        const service = serviceUnderTest((ports) => ({
          ...ports,
          configStore: {
            ...ports.configStore,
            chain: (...args) =>
              ports.configStore.chain(...args).andThen((read) => ResultAsync.fromSafePromise(scheduler.schedule(Promise.resolve(read)))),
          },
        }))
        const stop = service.run()
        okOf(await service.put(root, 0))
        await service.ports.clock.advance(500)
        let newest = 1
        const step = async (isWrite: boolean): Promise<void> => {
          if (isWrite) {
            const written = await service.put(root, newest, { kind: 'version', version: newest })
            newest = Math.max(newest, written.isOk() ? written.value.version : 0)
            return
          }
          const floor = newest
          expect(okOf(await service.core.config.get(root)).version).toBeGreaterThanOrEqual(floor)
        }
        await raced(scheduler, service.ports, Promise.all(steps.map(step)))
        for (const isWrite of steps) await raced(scheduler, service.ports, step(isWrite))
        await stop()
      }),
      { numRuns: 30 },
    )
  })
})

describe('several instances', () => {
  it.each(['snapshot', 'entry', 'versions', 'version', 'watch', 'conflict'] as const)(
    'L7: a setting is not older than what the same instance showed of it by its %s',
    async (shownBy) => {
      const { core, ports, put, run } = serviceUnderTest()
      const other = createCore({ ...ports, signals: fakeSignals() })
      const stop = run()
      okOf(await put(root, 1))
      await ports.clock.advance(500)
      const watch = okOf(await core.config.watch(watchSelection(null, null), '0'))
      expect(okOf(await core.config.get(root)).revision).toBe(1)
      const write = { ...root, value: 2, reason: 'elsewhere', caller, precondition: { kind: 'version', version: 1 } } as const
      okOf(await other.config.put(write))
      if (shownBy === 'snapshot') await core.config.snapshot(root.component, root.scope)
      if (shownBy === 'entry') await core.config.entry(root)
      if (shownBy === 'versions') await core.config.versions(root, { before: null, limit: 5 })
      if (shownBy === 'version') await core.config.version(root, 2)
      if (shownBy === 'watch') for (let heard = 0; heard < 2; ) heard = okOf(await nextOf(watch, ports)).cursor.revision
      if (shownBy === 'conflict') errorOf(await put(root, 3, { kind: 'version', version: 1 }))
      expect(okOf(await core.config.get(root)).revision).toBe(2)
      await stop()
    },
  )

  it('goes on after a restore to an older history', async () => {
    const restored = fakeStore(fakeClock(), 'restored')
    let isRestored = false
    const service = serviceUnderTest((ports) => ({
      ...ports,
      configStore: switching(ports.configStore, () => (isRestored ? restored.configStore : null)),
    }))
    const stop = service.run()
    okOf(await service.put(root, 1))
    okOf(await service.put(root, 2, { kind: 'version', version: 1 }))
    await service.ports.clock.advance(500)
    expect(okOf(await service.core.config.get(root)).value).toBe(2)
    isRestored = true
    expect(errorOf(await service.core.config.get(address('payments/other'))).kind).toBe('config-not-found')
    await service.ports.clock.advance(500)
    expect(errorOf(await service.core.config.get(root)).kind).toBe('config-not-found')
    await stop()
  })
})

describe('snapshot', () => {
  it('shows all settings of a component at one revision, defaults included, with a cursor to watch from', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(address('recovery/contact'), 'operations'))
    const snapshot = okOf(await core.config.snapshot(root.component, root.scope))
    expect(snapshot.entries).toEqual([])
    const system = okOf(await core.config.snapshot(address('recovery/x').component, root.scope))
    expect(system.entries.map(({ key }) => key)).toEqual(['contact', 'objectives'])
    expect(system.cursor.revision).toBe(1)
  })

  it('keeps its ETag while only other components change', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(root, 1))
    const { etag } = okOf(await core.config.snapshot(root.component, root.scope))
    okOf(await put(address('ledger/limit'), 1))
    expect(okOf(await core.config.snapshot(root.component, root.scope)).etag).toBe(etag)
    okOf(await put(root, 2, { kind: 'version', version: 1 }))
    expect(okOf(await core.config.snapshot(root.component, root.scope)).etag).not.toBe(etag)
  })
})

describe('components', () => {
  it('lists written and shipped ones by name, in pages', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(root, 1))
    okOf(await put(address('alpha/x'), 1))
    const first = okOf(await core.config.components({ after: null, limit: 3 }))
    expect(first.items.map(({ component, entries }) => [component, entries])).toEqual([
      ['alpha', 1],
      ['delivery', 0],
      ['monitoring', 0],
    ])
    expect(first.head.revision).toBe(2)
    const second = okOf(await core.config.components({ after: first.next, limit: 3 }))
    expect(second.items.map(({ component }) => component)).toEqual(['payments', 'recovery', 'security'])
    expect(second.next).toBeNull()
  })
})

describe('history', () => {
  it('lists versions newest first, in pages, and compares any two', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(root, { a: 1 }))
    okOf(await put(root, { a: 2 }, { kind: 'version', version: 1 }))
    okOf(await put(root, { a: 2, b: 3 }, { kind: 'version', version: 2 }))
    const page = okOf(await core.config.versions(root, { before: null, limit: 2 }))
    expect(page).toMatchObject({ items: [{ version: 3 }, { version: 2 }], next: 2 })
    expect(okOf(await core.config.versions(root, { before: page.next, limit: 2 }))).toMatchObject({ items: [{ version: 1 }], next: null })
    expect(okOf(await core.config.diff(root, 1, 3)).differences).toEqual([
      { op: 'replace', pointer: '/a', before: 1, after: 2 },
      { op: 'add', pointer: '/b', after: 3 },
    ])
  })

  it('does not find versions of what was never written', async () => {
    const { core } = serviceUnderTest()
    expect(errorOf(await core.config.versions(root, { before: null, limit: 2 })).kind).toBe('entry-not-found')
    expect(errorOf(await core.config.version(root, 1)).kind).toBe('version-not-found')
  })
})

async function nextOf(watch: ConfigWatch, { clock }: FakePorts): ReturnType<ConfigWatch['next']> {
  const next = watch.next(1000)
  await clock.advance(250)
  return next
}

/** One store until `other` names another. */
function switching(store: ConfigStore, other: () => ConfigStore | null): ConfigStore {
  return {
    head: () => (other() ?? store).head(),
    revisionAt: (...args) => (other() ?? store).revisionAt(...args),
    chain: (...args) => (other() ?? store).chain(...args),
    snapshot: (...args) => (other() ?? store).snapshot(...args),
    version: (...args) => (other() ?? store).version(...args),
    history: (...args) => (other() ?? store).history(...args),
    components: (...args) => (other() ?? store).components(...args),
    changes: (...args) => (other() ?? store).changes(...args),
  }
}
