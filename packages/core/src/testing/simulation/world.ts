import { type Tunable, tunables } from '../../config/index.ts'
import { fakeConfigCache } from '../../config/testing/fake-config-cache.ts'
import type { EventBroker, SequencedEvent } from '../../events/index.ts'
import { fakeEventBroker } from '../../events/testing/fake-event-broker.ts'
import type { JsonValue } from '../../kernel/json.ts'
import type { Random } from '../../kernel/random.ts'
import { type FakeClock, fakeClock, fakeEpochStart } from '../../kernel/testing/fake-clock.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import { type FakePaymentService, fakePaymentService } from '../../payments/testing/fake-payment-service.ts'
import { type FakeWebhookTransport, fakeWebhookTransport } from '../../webhooks/testing/fake-webhook-transport.ts'
import { type ClientWorld, runReader, runWatcher, runWriter } from './clients.ts'
import type { SimulatedConnection, SimulatedEngine } from './engines.ts'
import { emptyHistory, type History } from './history.ts'
import { type Instance, type Surroundings, startInstance } from './instance.ts'
import { runKeyHolder } from './key-holders.ts'
import type { Mutant } from './mutants.ts'
import { type DeliveryObserver, deliveryObserver } from './observed.ts'
import { runPayer, wallet } from './payers.ts'
import { type Plan, planOf } from './plan.ts'
import { queuedBroker } from './queued-broker.ts'
import { remoteBehaviour } from './remote-behaviour.ts'
import { runForger, type ServiceSender, serviceSender } from './service-sender.ts'
import { sightings } from './sightings.ts'
import { runSubscriber, webhookTimeoutMs } from './subscribers.ts'
import { witness, witnessName } from './witness.ts'

export type World = {
  readonly seed: number
  readonly plan: Plan
  readonly clock: FakeClock
  readonly surroundings: Surroundings
  readonly history: History
  readonly observer: DeliveryObserver
  readonly remote: FakePaymentService
  readonly transport: FakeWebhookTransport
  readonly sender: ServiceSender
  readonly isBrokerEmpty: () => boolean
  readonly trace: (line: () => string) => void
  readonly truth: SimulatedConnection
  readonly clients: ClientWorld
  instances: Instance[]
  /** All that ever ran, the dead included. */
  processes: Instance[]
  /** Clients that have not finished yet. */
  busyClients: number
  boots: number
  phase: 'faulty' | 'healing' | 'over'
}

type Phase = { current: World['phase']; instances: readonly Instance[] }
type WorldBroker = Readonly<{ broker: EventBroker; isEmpty: () => boolean }>

const restartMs = 3_000
/** Fewer than the longest chain of promises: now and then time goes on while something is still at work. */
const turnsAtOnce = 40
const longestAnswerMs = 300_000

export async function createWorld(
  seed: number,
  engine: SimulatedEngine,
  mutant: Mutant | null,
  tell: ((line: string) => void) | undefined,
): Promise<World> {
  const plan = planOf(seed)
  const clock = fakeClock({ drain: engine.drain ?? drainSome })
  const history = emptyHistory()
  const observer = deliveryObserver(history.violations)
  const database = await engine.open(clock)
  const phase: Phase = { current: 'faulty', instances: [] }
  const isFaulty = (): boolean => phase.current === 'faulty'
  const trace: World['trace'] = (line) => tell?.(`${String(clock.now() - fakeEpochStart).padStart(8)} ms  ${line()}`)
  const clients = clientWorld(plan, clock, history, phase, trace)
  const sender = serviceSender(clients, plan.remote, chanceOf(seed, 4, 0))
  const behaviourOf = remoteBehaviour(plan.remote, chanceOf(seed, 5, 0), isFaulty)
  const remote = fakePaymentService({ clock, behaviourOf, onStatus: sender.tell })
  const transport = fakeWebhookTransport(clock)
  const { broker, isEmpty } = brokerOf(plan, clock, seed, isFaulty)
  const consumers = plan.witness ? [witness(poisonOf(plan, seed, isFaulty))] : []
  const surroundings: Surroundings = {
    plan,
    seed,
    clock,
    database,
    sharedCache: fakeConfigCache(clock),
    broker,
    observer,
    paymentService: remote,
    webhookTransport: transport,
    consumers,
    mutant,
  }
  const truth = await database.connect()
  const world = {
    seed,
    plan,
    clock,
    surroundings,
    history,
    observer,
    remote,
    transport,
    sender,
    isBrokerEmpty: isEmpty,
    trace,
    truth,
    clients,
  }
  return withPhase({ ...world, instances: [], processes: [], busyClients: 0, boots: 0, phase: 'faulty' }, phase)
}

/** What clients see of a world follows its phase and its instances. */
function withPhase(world: World, phase: Phase): World {
  return Object.defineProperties(world, {
    phase: {
      get: () => phase.current,
      set: (next: World['phase']) => {
        phase.current = next
      },
    },
    instances: {
      get: () => phase.instances,
      set: (next: readonly Instance[]) => {
        phase.instances = next
      },
    },
  })
}

function clientWorld(plan: Plan, clock: FakeClock, history: History, phase: Phase, trace: World['trace']): ClientWorld {
  return {
    clock,
    history,
    sightings: sightings(),
    pauseMs: plan.pauseMs,
    anyInstance: (random) => {
      const living = phase.instances.filter(({ life }) => !life.isOver())
      return living[Math.floor(random.fraction() * living.length)] ?? null
    },
    isFaulty: () => phase.current === 'faulty',
    isOver: () => phase.current === 'over',
    trace,
  }
}

function brokerOf(plan: Plan, clock: FakeClock, seed: number, isFaulty: () => boolean): WorldBroker {
  if (!plan.queuedBroker) return { broker: fakeEventBroker(), isEmpty: () => true }
  const names = plan.witness ? ['webhooks', witnessName] : ['webhooks']
  const broker = queuedBroker({ clock, random: chanceOf(seed, 6, 0), names, isFaulty })
  return { broker, isEmpty: broker.isEmpty }
}

/** Some events cannot be applied while faults last, by whichever instance. */
function poisonOf({ poisonRate }: Plan, seed: number, isFaulty: () => boolean): (event: SequencedEvent) => boolean {
  return ({ stream, sequence }) => {
    if (!isFaulty()) return false
    let mixed = seed
    for (const character of stream) mixed = Math.imul(mixed, 31) + character.charCodeAt(0)
    return fakeRandom(mixed + sequence).fraction() < poisonRate
  }
}

function chanceOf(seed: number, kind: number, index: number): Random {
  return fakeRandom(seed * 31 + kind * 1_000_003 + index)
}

export function startClients(world: World): void {
  const { plan, clients, seed, sender, transport } = world
  const finishes = (running: Promise<void>): void => {
    world.busyClients += 1
    void running.then(() => {
      world.busyClients -= 1
    })
  }
  const each = (count: number, start: (index: number) => void): void => {
    for (let index = 0; index < count; index += 1) start(index)
  }
  const wallets = [wallet('client 0'), wallet('client 1')] as const
  each(plan.writers, (index) => finishes(runWriter(clients, `writer ${index}`, chanceOf(seed, 1, index))))
  each(plan.readers, (index) => finishes(runReader(clients, chanceOf(seed, 2, index))))
  each(plan.watchers, (index) => void runWatcher(clients, `watcher ${index}`, chanceOf(seed, 3, index)))
  each(plan.payers, (index) => finishes(runPayer(clients, `payer ${index}`, wallets[index % 2] ?? wallets[0], chanceOf(seed, 7, index))))
  each(plan.keyHolders, (index) => finishes(runKeyHolder(clients, chanceOf(seed, 10, index))))
  each(plan.remote.forgers, (index) => finishes(runForger(clients, sender.overheard, chanceOf(seed, 8, index))))
  each(plan.subscribers, (index) => {
    const random = chanceOf(seed, 9, index)
    const withinMs = plan.faultyMs / 2
    finishes(runSubscriber({ world: clients, transport, client: `client ${index % 2}`, random, name: `subscriber ${index}`, withinMs }))
  })
}

/** Retries of webhooks are short in simulated worlds, or healing would take days. */
export async function configure(world: World): Promise<void> {
  if (world.plan.subscribers === 0) return
  const operator = await startInstance(world.surroundings, 0, true)
  const set = async (tunable: Tunable<JsonValue>, value: JsonValue): Promise<void> => {
    const caller = { client: 'operator', requestId: 'setup', traceparent: null }
    const command = { ...tunable.address, value, reason: 'setup', precondition: { kind: 'absent' }, caller } as const
    const put = await passing(world.clock, Promise.resolve(operator.core.config.put(command)))
    if (put.isErr()) throw new Error(`a world cannot be set up: ${put.error.kind}`)
  }
  await set(tunables.webhookRetryScheduleSeconds as unknown as Tunable<JsonValue>, [...world.plan.retrySchedule])
  await set(tunables.webhookTimeoutMs as unknown as Tunable<JsonValue>, webhookTimeoutMs)
  operator.life.kill()
}

export async function boot(world: World): Promise<void> {
  world.boots += 1
  const instance = await startInstance(world.surroundings, world.boots, world.phase !== 'faulty')
  world.trace(() => `${instance.name} starts`)
  world.instances = [...world.instances, instance]
  world.processes.push(instance)
}

export async function restartTheDead(world: World): Promise<void> {
  const random = fakeRandom(world.seed + world.clock.now())
  for (const dead of world.instances.filter(({ life }) => life.isOver())) {
    if (world.phase === 'faulty' && random.fraction() > 50 / restartMs) continue
    world.trace(() => `${dead.name} is dead`)
    world.instances = world.instances.filter((each) => each !== dead)
    await boot(world)
  }
}

/** Lets time pass until `answer` is there. */
export async function passing<T>(clock: FakeClock, answer: Promise<T>): Promise<T> {
  let pending = true
  void answer.finally(() => {
    pending = false
  })
  for (const until = clock.now() + longestAnswerMs; pending; ) {
    if (clock.now() > until) throw new Error('a healed instance does not answer')
    await clock.advance(10)
  }
  return answer
}

async function drainSome(): Promise<void> {
  for (let turn = 0; turn < turnsAtOnce; turn += 1) await Promise.resolve()
}
