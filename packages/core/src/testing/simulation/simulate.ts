import { fakeConfigCache } from '../../config/testing/fake-config-cache.ts'
import { fakeEventBroker } from '../../events/testing/fake-event-broker.ts'
import type { Random } from '../../kernel/random.ts'
import { type FakeClock, fakeClock, fakeEpochStart } from '../../kernel/testing/fake-clock.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import { fakePaymentService } from '../../payments/testing/fake-payment-service.ts'
import { fakeWebhookTransport } from '../../webhooks/testing/fake-webhook-transport.ts'
import { type ClientWorld, readSetting, runReader, runWatcher, runWriter } from './clients.ts'
import { configViolations } from './config-laws.ts'
import { fakeEngine, type SimulatedConnection, type SimulatedEngine } from './engines.ts'
import { eventViolations } from './event-laws.ts'
import { emptyHistory, type History, type Violation } from './history.ts'
import { type Instance, type Surroundings, startInstance } from './instance.ts'
import type { Mutant } from './mutants.ts'
import { type DeliveryObserver, deliveryObserver } from './observed.ts'
import { type Plan, planOf } from './plan.ts'
import { pool } from './pool.ts'
import { sightings } from './sightings.ts'
import { readTruth, sure, type Truth } from './truth.ts'

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
    virtualMs: number
  }>
  /** How often each fault has struck. */
  faults: Readonly<Record<string, number>>
}>

type World = {
  readonly plan: Plan
  readonly clock: FakeClock
  readonly surroundings: Surroundings
  readonly history: History
  readonly observer: DeliveryObserver
  readonly trace: (line: () => string) => void
  readonly truth: SimulatedConnection
  instances: Instance[]
  /** All that ever ran, the dead included. */
  processes: Instance[]
  /** Writers and readers that have not finished yet. */
  busyClients: number
  boots: number
  phase: 'faulty' | 'healing' | 'over'
}

/** The longest that a healed world may take to come to rest: longer than any lease, back-off or stall. */
const healingMs = 300_000
const restartMs = 3_000

/**
 * Runs one world: real core code in several processes over one store, one thread, virtual time. First safety under
 * faults, then everything heals and the backlog has to drain. The same seed makes the same world.
 */
export async function simulate(seed: number, { engine = fakeEngine, mutant, trace }: SimulationOptions = {}): Promise<SimulationReport> {
  const world = await createWorld(seed, engine, mutant ?? null, trace)
  const { plan, clock } = world
  const clients = startClients(world, seed)
  for (let index = 0; index < plan.instances; index += 1) await boot(world)
  while (clock.now() < fakeEpochStart + plan.faultyMs) {
    await clock.advance(50)
    await restartTheDead(world, seed)
  }
  world.trace(() => 'faults end')
  world.phase = 'healing'
  await heal(world)
  await readEverywhere(world, clients.world)
  world.phase = 'over'
  const report = await judge(world, seed)
  for (const instance of world.instances) instance.life.kill()
  world.truth.kill()
  await world.surroundings.database.close()
  return report
}

async function createWorld(
  seed: number,
  engine: SimulatedEngine,
  mutant: Mutant | null,
  trace: SimulationOptions['trace'],
): Promise<World> {
  const plan = planOf(seed)
  const clock = fakeClock(engine.drain === undefined ? {} : { drain: engine.drain })
  const history = emptyHistory()
  const observer = deliveryObserver(history.violations)
  const database = await engine.open(clock)
  const broker = fakeEventBroker()
  const surroundings: Surroundings = {
    plan,
    seed,
    clock,
    database,
    sharedCache: fakeConfigCache(clock),
    broker,
    observer,
    paymentService: fakePaymentService({ clock }),
    webhookTransport: fakeWebhookTransport(clock),
    consumers: [],
    mutant,
  }
  return {
    plan,
    clock,
    surroundings,
    history,
    observer,
    trace: (line) => trace?.(`${String(clock.now() - fakeEpochStart).padStart(8)} ms  ${line()}`),
    truth: await database.connect(),
    instances: [],
    processes: [],
    busyClients: plan.writers + plan.readers,
    boots: 0,
    phase: 'faulty',
  }
}

function startClients(world: World, seed: number): Readonly<{ world: ClientWorld }> {
  const { plan, clock, history, trace } = world
  const living = (): readonly Instance[] => world.instances.filter(({ life }) => !life.isOver())
  const clientWorld: ClientWorld = {
    clock,
    history,
    sightings: sightings(),
    pauseMs: plan.pauseMs,
    anyInstance: (random) => living()[Math.floor(random.fraction() * living().length)] ?? null,
    isFaulty: () => world.phase === 'faulty',
    isOver: () => world.phase === 'over',
    trace,
  }
  const chance = (kind: number, index: number): Random => fakeRandom(seed * 31 + kind * 1_000_003 + index)
  const finish = (): void => {
    world.busyClients -= 1
  }
  for (let index = 0; index < plan.writers; index += 1) void runWriter(clientWorld, `writer ${index}`, chance(1, index)).then(finish)
  for (let index = 0; index < plan.readers; index += 1) void runReader(clientWorld, chance(2, index)).then(finish)
  for (let index = 0; index < plan.watchers; index += 1) void runWatcher(clientWorld, `watcher ${index}`, chance(3, index))
  return { world: clientWorld }
}

async function boot(world: World): Promise<void> {
  world.boots += 1
  const instance = await startInstance(world.surroundings, world.boots, world.phase !== 'faulty')
  world.trace(() => `${instance.name} starts`)
  world.instances.push(instance)
  world.processes.push(instance)
}

async function restartTheDead(world: World, seed: number): Promise<void> {
  const random = fakeRandom(seed + world.clock.now())
  for (const dead of world.instances.filter(({ life }) => life.isOver())) {
    if (world.phase === 'faulty' && random.fraction() > 50 / restartMs) continue
    world.trace(() => `${dead.name} is dead`)
    world.instances = world.instances.filter((each) => each !== dead)
    await boot(world)
  }
}

/** Ends all faults and lets time pass until nothing is left to do, or far too much of it has passed. */
async function heal(world: World): Promise<void> {
  const { clock } = world
  for (const instance of world.instances) instance.heal()
  await restartTheDead(world, 0)
  const until = clock.now() + healingMs
  await rest(world, until)
  // Reports of relays that were slow to learn of their loss still arrive.
  await clock.advance(15_000)
  await rest(world, until)
}

async function rest(world: World, until: number): Promise<void> {
  const { outbox } = world.truth.ports
  while (world.clock.now() < until && !(await isAtRest(world))) {
    await world.clock.advance(1000)
    for (const { stream } of sure(await outbox.streams({ blocked: true }, null, 1000))) await outbox.unblock(stream)
  }
}

async function isAtRest({ truth, history, instances, busyClients }: World): Promise<boolean> {
  if (busyClients > 0) return false
  const head = sure(await truth.ports.configStore.head())
  const { events } = sure(await truth.ports.outbox.backlog())
  const watchersAreDone = history.watches.every(({ cursor }) => cursor.revision >= head.revision)
  const instancesFollow = instances.every(({ core }) => (core.config.followed()?.revision ?? 0) >= head.revision)
  return events === 0 && watchersAreDone && instancesFollow
}

/** L7: after everything has settled, every instance shows the same newest values. */
async function readEverywhere(world: World, clients: ClientWorld): Promise<void> {
  const truth = await readTruth(world.truth.ports)
  for (const instance of world.instances) {
    for (const at of pool.addresses) {
      const expected = truth.resolvedAt(at, truth.head)
      await passing(world.clock, readSetting(clients, instance, at))
      const shown = await passing(world.clock, Promise.resolve(instance.core.config.get(at)))
      const value = shown.isOk() ? JSON.stringify(shown.value.value) : undefined
      if (value !== (expected === null ? undefined : JSON.stringify(expected.value))) {
        world.history.violations.push({ law: 'L7', detail: `${instance.name} did not converge at ${at.component}/${at.key}${at.scope}` })
      }
    }
  }
}

/** Lets time pass until `answer` is there. */
async function passing<T>(clock: FakeClock, answer: Promise<T>): Promise<T> {
  let pending = true
  void answer.finally(() => {
    pending = false
  })
  for (const until = clock.now() + healingMs; pending; ) {
    if (clock.now() > until) throw new Error('a healed instance does not answer')
    await clock.advance(10)
  }
  return answer
}

async function judge({ history, observer, truth, clock, boots, processes }: World, seed: number): Promise<SimulationReport> {
  const held: Truth = await readTruth(truth.ports)
  const violations = [...history.violations, ...configViolations(history, held), ...(await eventViolations(held, truth.ports, observer))]
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
      virtualMs: clock.now() - fakeEpochStart,
    },
    faults: sumOf(processes.flatMap(({ struck }) => [...struck()])),
  }
}

function sumOf(counts: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const [name, count] of counts) sums[name] = (sums[name] ?? 0) + count
  return sums
}
