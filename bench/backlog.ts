import { join } from 'node:path'
import { commitEvents, confirming, eventOf, startRelay, until } from './lib/events.ts'
import { type Hexagon, openHexagon } from './lib/hexagon.ts'
import { progress, type Report, ratioOf } from './lib/report.ts'
import { median } from './lib/statistics.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const sizes: readonly number[] = (process.env['BENCH_SIZES'] ?? '1000,10000,100000,1000000').split(',').map(Number)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3)
const streamsAtMost = 1000
const eventsPerUnit = 1000
/** So that a small backlog is measured for about as long as a larger one. */
const eventsPerRound = 100_000

type Drain = Readonly<{ perSecond: number; firstTenthPerSecond: number; lastTenthPerSecond: number; builtPerSecond: number }>

/** How fast the relay drains backlogs of different depths, each in a store of its own. */
export async function backlog(): Promise<Report> {
  using directory = temporaryDirectory()
  const samples = new Map<number, Drain[]>()
  for (let round = 1; round <= rounds; round += 1) {
    for (const size of sizes) {
      const drained = await measure(join(directory.path, `${round}-${size}`), size)
      progress(
        `  round ${round}, ${size.toLocaleString('en')} events: ${Math.round(drained.perSecond)}/s, built at ${Math.round(drained.builtPerSecond)}/s`,
      )
      samples.set(size, [...(samples.get(size) ?? []), drained])
    }
  }
  const of = (size: number): readonly Drain[] => samples.get(size) ?? []
  const rates = (size: number): readonly number[] => of(size).map(({ perSecond }) => perSecond)
  const [least = 0, most = 0] = [sizes[0], sizes.at(-1)]
  return {
    setup: {
      backlog: `ten events or more in each of at most ${streamsAtMost} streams; from the start of the relay to the last confirmation`,
      broker: 'in process, no consumer',
      rounds: `${rounds}, sizes in turns, medians; backlogs below ${eventsPerRound.toLocaleString('en')} are built and drained again until so many events are`,
    },
    table: sizes.map((size) => ({
      pending: size.toLocaleString('en'),
      'events/s': median(rates(size)),
      'first tenth': median(of(size).map(({ firstTenthPerSecond }) => firstTenthPerSecond)),
      'last tenth': median(of(size).map(({ lastTenthPerSecond }) => lastTenthPerSecond)),
      'of the smallest': `${(median(rates(size)) / median(rates(least))).toFixed(2)} x`,
      'built, events/s': median(of(size).map(({ builtPerSecond }) => builtPerSecond)),
    })),
    aims: [
      {
        what: `draining ${most.toLocaleString('en')} events, of the rate at ${least.toLocaleString('en')}`,
        ...ratioOf(rates(most), rates(least)),
        unit: 'x',
        aim: 0.8,
        better: 'higher',
      },
    ],
    samples: Object.fromEntries(samples),
  }
}

async function measure(directory: string, size: number): Promise<Drain> {
  let confirmed = 0
  let marks: number[] = []
  const tenth = size / 10
  const note = (): void => {
    confirmed += 1
    if (confirmed % tenth === 0) marks.push(performance.now())
  }
  await using hexagon = await openHexagon(directory, { decorate: (ports) => confirming(ports, 'none', note) })
  const spent = { drain: 0, firstTenth: 0, lastTenth: 0, build: 0 }
  const times = Math.max(1, Math.round(eventsPerRound / size))
  // The first time warms up.
  for (let time = 0; time <= times; time += 1) {
    const builtFrom = performance.now()
    await build(hexagon, time === 0 ? Math.min(size, 10_000) : size)
    const from = performance.now()
    ;[confirmed, marks] = [0, []]
    const running = startRelay(hexagon)
    const count = time === 0 ? Math.min(size, 10_000) : size
    await until('every event is confirmed', () => confirmed === count, 300_000)
    const end = performance.now()
    await running.stop()
    if (time === 0) continue
    spent.build += from - builtFrom
    spent.drain += end - from
    spent.firstTenth += (marks[0] ?? end) - from
    spent.lastTenth += (marks[9] ?? end) - (marks[8] ?? end)
  }
  const perSecond = (count: number, ms: number): number => (count * times * 1000) / ms
  return {
    perSecond: perSecond(size, spent.drain),
    firstTenthPerSecond: perSecond(tenth, spent.firstTenth),
    lastTenthPerSecond: perSecond(tenth, spent.lastTenth),
    builtPerSecond: perSecond(size, spent.build),
  }
}

/** Stream after stream, many events to a unit. */
async function build({ ports }: Hexagon, size: number): Promise<void> {
  const perStream = size / Math.min(streamsAtMost, size / 10)
  for (let first = 0; first < size; first += eventsPerUnit) {
    const count = Math.min(eventsPerUnit, size - first)
    const events = Array.from({ length: count }, (_, offset) => eventOf(ports, Math.floor((first + offset) / perStream)))
    await commitEvents(ports, events)
  }
}
