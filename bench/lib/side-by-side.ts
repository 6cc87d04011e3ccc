import { progress } from './report.ts'
import { percentile } from './statistics.ts'

/** One call, made over and over; `index` rises by one each time. `makes`: how many there are in it, one unless said otherwise. */
export type Contender = Readonly<{ name: string; makes?: number; call: (index: number) => Promise<unknown> }>

export type Round = Readonly<{ perSecond: number; cpuMicros: number; p99Ms: number }>

type Options = Readonly<{ inFlight: number; rounds: number; seconds: number }>

/** Runs all in turn, in rounds; the first warms up, and the order turns, so that nobody always follows the same neighbour. */
export async function sideBySide(contenders: readonly Contender[], options: Options): Promise<ReadonlyMap<string, readonly Round[]>> {
  const measured = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const [index] of contenders.entries()) {
      const contender = contenders[(index + round) % contenders.length] as Contender
      const figures = await measure(contender, options)
      progress(`  round ${round} ${contender.name}: ${Math.round(figures.perSecond)}/s, ${figures.cpuMicros.toFixed(2)} us`)
      if (round > 0) measured.get(contender.name)?.push(figures)
    }
  }
  return measured
}

async function measure({ call, makes = 1 }: Contender, { inFlight, seconds }: Options): Promise<Round> {
  const times: number[] = []
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000
  const cpu = process.cpuUsage()
  let calls = 0
  const lane = async (): Promise<void> => {
    for (let now = startedAt; now < endsAt; ) {
      const index = calls
      calls += 1
      await call(index)
      // Looking at the clock costs as much as the fastest call here.
      if (index % 64 !== 0) continue
      const before = performance.now()
      now = before
      if (index % 1024 !== 0) continue
      calls += 1
      await call(index + 1)
      times.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const { user, system } = process.cpuUsage(cpu)
  const perSecond = (calls * makes * 1000) / (performance.now() - startedAt)
  return { perSecond, cpuMicros: (user + system) / (calls * makes), p99Ms: percentile(times, 0.99) }
}
