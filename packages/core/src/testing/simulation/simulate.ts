import { fakeEpochStart } from '../../kernel/testing/fake-clock.ts'
import { configViolations } from './config-laws.ts'
import { fakeEngine, type SimulatedEngine } from './engines.ts'
import { eventViolations, readStreams, witnessViolations } from './event-laws.ts'
import { heal, readEverywhere, useKeysEverywhere } from './healing.ts'
import type { Violation } from './history.ts'
import type { Mutant } from './mutants.ts'
import { type Ledger, paymentViolations, readLedger } from './payment-laws.ts'
import { readTruth } from './truth.ts'
import { webhookViolations } from './webhook-laws.ts'
import { boot, configure, createWorld, restartTheDead, startClients, type World } from './world.ts'

export type SimulationOptions = Readonly<{
  engine?: SimulatedEngine
  /** A planted bug. */
  mutant?: Mutant
  /** Told what happens, line by line, with the virtual time. */
  trace?: (line: string) => void
}>

/** How one world went. */
export type SimulationReport = Readonly<{
  seed: number
  violations: readonly Violation[]
  /** What it has put to the test. */
  counts: Readonly<{
    processes: number
    writes: number
    acknowledged: number
    reads: number
    heard: number
    delivered: number
    payments: number
    instructed: number
    reports: number
    forgeries: number
    discrepancies: number
    subscriptions: number
    posts: number
    keys: number
    keyUses: number
    virtualMs: number
  }>
  /** How often each fault has struck. */
  faults: Readonly<Record<string, number>>
}>

/**
 * Runs one world: real core code in several processes over one store, one thread, virtual time. First safety under
 * faults, then everything heals and the backlog has to drain. The same seed makes the same world.
 */
export async function simulate(seed: number, { engine = fakeEngine, mutant, trace }: SimulationOptions = {}): Promise<SimulationReport> {
  const world = await createWorld(seed, engine, mutant ?? null, trace)
  const { plan, clock } = world
  await configure(world)
  startClients(world)
  for (let index = 0; index < plan.instances; index += 1) await boot(world)
  while (clock.now() < fakeEpochStart + plan.faultyMs) {
    await clock.advance(50)
    await restartTheDead(world)
  }
  world.trace(() => 'faults end')
  world.phase = 'healing'
  await heal(world)
  await readEverywhere(world)
  await useKeysEverywhere(world)
  world.phase = 'over'
  const report = await judge(world)
  for (const instance of world.instances) instance.life.kill()
  world.truth.kill()
  await world.surroundings.database.close()
  return report
}

async function judge(world: World): Promise<SimulationReport> {
  const { seed, history, observer, remote, transport, plan, clock, boots, processes } = world
  const { ports } = world.truth
  const truth = await readTruth(ports)
  const ledger = await readLedger(ports, remote)
  const streams = await readStreams(ports)
  const violations = [
    ...history.violations,
    ...configViolations(history, truth),
    ...(await eventViolations(truth, ledger, streams, ports, observer)),
    ...(plan.witness ? await witnessViolations(streams, ports) : []),
    ...paymentViolations(history, ledger, remote),
    ...(await webhookViolations(history, streams, ledger, ports, transport, plan.retrySchedule.length)),
  ]
  const delivered = [...observer.firstDeliveries().values()].reduce((sum, sequences) => sum + sequences.length, 0)
  return {
    seed,
    violations,
    counts: {
      processes: boots,
      writes: history.writes.length,
      acknowledged: history.writes.filter(({ outcome }) => outcome.kind === 'acknowledged').length,
      reads: history.reads.length + history.snapshots.length,
      heard: history.watches.reduce((sum, { units }) => sum + units.length, 0),
      delivered,
      ...paymentCounts(ledger),
      reports: history.messages.length,
      forgeries: history.forgeries.count,
      subscriptions: history.subscriptions.length,
      posts: transport.posts.length,
      keys: history.keys.length,
      keyUses: history.keyUses.count,
      virtualMs: clock.now() - fakeEpochStart,
    },
    faults: sumOf(processes.flatMap(({ struck }) => [...struck()])),
  }
}

function paymentCounts(ledger: Ledger): Readonly<{ payments: number; instructed: number; discrepancies: number }> {
  const lines = [...ledger.values()]
  return {
    payments: lines.length,
    instructed: lines.filter(({ payment }) => payment.attempt !== null).length,
    discrepancies: lines.reduce((sum, { discrepancies }) => sum + discrepancies.length, 0),
  }
}

function sumOf(counts: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const [name, count] of counts) sums[name] = (sums[name] ?? 0) + count
  return sums
}
