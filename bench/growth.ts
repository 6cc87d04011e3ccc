import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Component, type Core, createCore, type Digest, entryEtag, type Scope, type Transaction } from '@cbp/core'
import { address, caller, type Hexagon, openHexagon } from './lib/hexagon.ts'
import { progress, type Report } from './lib/report.ts'
import { mean, median, percentile } from './lib/statistics.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const sizes: readonly number[] = (process.env['BENCH_SIZES'] ?? '1000,100000,1000000').split(',').map(Number)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7)
const keysPerComponent = 100
const hotSettings = 1000
const scope = '/production/first-cu'

type Operation =
  | 'read, uncached'
  | 'read, cached'
  | 'write'
  | 'write, 64 at once'
  | 'write, 64 at once in one component'
  | 'snapshot of 100 keys'
type Grown = Readonly<{ size: number; bytes: number; hexagon: Hexagon; following: Core; loadedPerSecond: number }>
/** Milliseconds of every call, by round. */
type Samples = Map<Operation, number[][]>

/** The same calls of core over stores of different sizes, in turns. */
export async function growth(): Promise<Report> {
  using directory = temporaryDirectory()
  await using opened = new AsyncDisposableStack()
  const stores: Grown[] = []
  for (const size of sizes) stores.push(await grow(join(directory.path, String(size)), size, opened))
  const samples = new Map(stores.map(({ size }): [number, Samples] => [size, new Map()]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index] of stores.entries()) {
      const store = stores[(index + round) % stores.length] as Grown
      const measured = await measure(store)
      progress(
        `  round ${round}, ${store.size} entries: ${[...measured].map(([name, all]) => `${name} ${median(all).toFixed(4)}`).join(', ')} ms`,
      )
      if (round === 0) continue
      for (const [name, all] of measured) {
        const kept = samples.get(store.size) as Samples
        kept.set(name, [...(kept.get(name) ?? []), all])
      }
    }
  }
  return report(stores, samples)
}

async function grow(directory: string, size: number, opened: AsyncDisposableStack): Promise<Grown> {
  const hexagon = opened.use(await openHexagon(directory))
  const startedAt = performance.now()
  const { transactions, ids, digest } = hexagon.ports
  const components = size / keysPerComponent
  for (let first = 0; first < components; first += 64) {
    const units = Array.from({ length: Math.min(64, components - first) }, (_, offset) =>
      transactions.attempt(ids.next(), (tx) =>
        tx.config
          .newest(address(componentName(first + offset), 'key-0'))
          .map(() => recordComponent(tx, digest, componentName(first + offset))),
      ),
    )
    for (const outcome of await Promise.all(units)) if (outcome.isErr()) throw new Error(outcome.error.kind)
  }
  const seconds = (performance.now() - startedAt) / 1000
  const bytes = statSync(join(directory, 'bench.sqlite')).size + statSync(join(directory, 'bench.sqlite-wal')).size
  progress(`  loaded ${size} entries in ${seconds.toFixed(1)} s, ${(bytes / 2 ** 20).toFixed(0)} MiB`)
  return { size, bytes, hexagon, following: await follow(hexagon, opened), loadedPerSecond: size / seconds }
}

function recordComponent({ config }: Transaction, digest: Digest, component: string): void {
  const facts = { version: 1, op: 'put', actor: 'bench', reason: 'loaded', requestId: 'bench', restoredFrom: null } as const
  for (let key = 0; key < keysPerComponent; key += 1) {
    const value = { limit: key, currency: 'EUR' }
    const hash = digest.sha256(`put:${JSON.stringify(value)}`).slice(0, 32)
    config.append({ ...address(component, `key-${key}`), ...facts, value, hash })
  }
}

/** A second core over the same ports that follows changes, and so reads through the cache. */
async function follow({ ports }: Hexagon, opened: AsyncDisposableStack): Promise<Core> {
  const core = createCore(ports)
  const background = new AbortController()
  const working = core.config.followChanges(background.signal)
  opened.defer(async () => {
    background.abort()
    await working
  })
  while (core.config.followed() === null) await ports.clock.sleep(5)
  return core
}

function componentName(index: number): string {
  return `component-${index}`
}

async function measure(store: Grown): Promise<ReadonlyMap<Operation, number[]>> {
  const { size, hexagon, following } = store
  const { core } = hexagon
  const anywhere = (at: string) =>
    address(componentName(Math.floor((Math.random() * size) / keysPerComponent)), `key-${Math.floor(Math.random() * keysPerComponent)}`, at)
  let chosen = 0
  // The same work at every size: neighbours share pages, where settings of everywhere have a page each.
  const within = () => {
    const component = componentName(Math.floor(chosen / 64) % (size / keysPerComponent))
    chosen += 1
    return address(component, `key-${Math.floor(Math.random() * keysPerComponent)}`)
  }
  const hot = Array.from({ length: hotSettings }, () => anywhere(scope))
  for (const at of hot) await requireFound(following, at)
  return new Map<Operation, number[]>([
    ['read, uncached', await timed(4000, () => requireFound(core, anywhere(scope)))],
    ['read, cached', await timed(8000, (count) => requireFound(following, hot[count % hotSettings] as ReturnType<typeof anywhere>))],
    ['write', await timedWrites(core, 400, 1, () => anywhere('/'))],
    ['write, 64 at once', await timedWrites(core, 60, 64, () => anywhere('/'))],
    ['write, 64 at once in one component', await timedWrites(core, 60, 64, within)],
    ['snapshot of 100 keys', await timed(200, () => requireSnapshot(core, anywhere(scope)))],
  ])
}

async function timed(count: number, run: (index: number) => Promise<void>): Promise<number[]> {
  const taken: number[] = []
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now()
    await run(index)
    taken.push(performance.now() - startedAt)
  }
  return taken
}

/** Groups of different settings; the condition of each is read beforehand and not timed. Answers milliseconds per group. */
async function timedWrites(core: Core, groups: number, width: number, choose: () => ReturnType<typeof address>): Promise<number[]> {
  const taken: number[] = []
  for (let group = 0; group < groups; group += 1) {
    const chosen = [...new Map(Array.from({ length: width }, choose).map((at) => [`${at.component}/${at.key}`, at])).values()]
    const writes = await Promise.all(
      chosen.map(async (at) => {
        const newest = (await core.config.entry(at)).unwrapOr(null)
        if (newest === null) throw new Error('an entry is missing')
        return {
          ...at,
          value: { limit: group, currency: 'EUR' },
          reason: 'bench',
          caller,
          precondition: { kind: 'match', etags: [entryEtag(newest)] },
        } as const
      }),
    )
    const startedAt = performance.now()
    const outcomes = await Promise.all(writes.map((write) => core.config.put(write)))
    taken.push(performance.now() - startedAt)
    for (const outcome of outcomes) if (outcome.isErr()) throw new Error(outcome.error.kind)
  }
  return taken
}

async function requireFound(core: Core, at: ReturnType<typeof address>): Promise<void> {
  const found = await core.config.get(at)
  if (found.isErr()) throw new Error(found.error.kind)
}

async function requireSnapshot(core: Core, { component }: Readonly<{ component: Component }>): Promise<void> {
  const snapshot = await core.config.snapshot(component, scope as Scope)
  if (snapshot.isErr() || snapshot.value.entries.length !== keysPerComponent) throw new Error('a snapshot is not whole')
}

function report(stores: readonly Grown[], samples: ReadonlyMap<number, Samples>): Report {
  const [least = 0, most = 0] = [sizes[0], sizes.at(-1)]
  const p50 = (size: number, name: Operation): number => median((samples.get(size)?.get(name) ?? []).map((round) => median(round)))
  const average = (size: number, name: Operation): number => median((samples.get(size)?.get(name) ?? []).map((round) => mean(round)))
  const names = [...(samples.get(least)?.keys() ?? [])]
  const table = names.flatMap((name) =>
    stores.map(({ size }) => ({
      what: `${name}, ${size.toLocaleString('en')} entries`,
      'p50 ms': p50(size, name),
      'mean ms': average(size, name),
      'p99 ms': median((samples.get(size)?.get(name) ?? []).map((round) => percentile(round, 0.99))),
      'of the smallest': `${(p50(size, name) / p50(least, name)).toFixed(2)} x`,
    })),
  )
  const ratio = (name: Operation) => ({
    what: `${name}, p50 at ${most.toLocaleString('en')} of that at ${least.toLocaleString('en')}`,
    figure: p50(most, name) / p50(least, name),
    unit: 'x',
    aim: 1.2,
    better: 'lower' as const,
  })
  return {
    setup: {
      rounds: `${rounds}, sizes in turns; medians of the rounds' figures`,
      keys: `${keysPerComponent} per component at /, reads at ${scope}, uniformly random; cached reads of ${hotSettings} settings`,
      loaded: stores
        .map(({ size, bytes, loadedPerSecond }) => `${size}: ${(bytes / 2 ** 20).toFixed(0)} MiB at ${Math.round(loadedPerSecond)}/s`)
        .join(', '),
    },
    table,
    aims: [
      ratio('read, uncached'),
      ratio('read, cached'),
      ratio('write'),
      ratio('write, 64 at once'),
      ratio('write, 64 at once in one component'),
    ],
    samples: Object.fromEntries(
      [...samples].map(([size, all]) => [size, Object.fromEntries([...all].map(([name, kept]) => [name, kept.map(summary)]))]),
    ),
    notes: [
      '64 writes anywhere touch more pages the more components there are (10 at a thousand entries), so that each commit writes more',
      'samples keep p50, mean, p90 and p99 of each round rather than every call',
    ],
  }
}

function summary(round: readonly number[]): Readonly<Record<string, number>> {
  return { p50: median(round), mean: mean(round), p90: percentile(round, 0.9), p99: percentile(round, 0.99), calls: round.length }
}
