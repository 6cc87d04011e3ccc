import type { ConfigCache } from '../../config/index.ts'
import { fakeConfigCache } from '../../config/testing/fake-config-cache.ts'
import { faultyConfigCache } from '../../config/testing/faulty-config-cache.ts'
import { faultyConfigStore } from '../../config/testing/faulty-config-store.ts'
import { type Core, createCore } from '../../create-core.ts'
import type { EventBroker } from '../../events/index.ts'
import { faultyEventBroker } from '../../events/testing/faulty-event-broker.ts'
import { faultyOutbox } from '../../events/testing/faulty-outbox.ts'
import { neverCancelled } from '../../kernel/cancel.ts'
import type { Clock } from '../../kernel/clock.ts'
import { fakeDigest } from '../../kernel/testing/fake-digest.ts'
import { fakeIds } from '../../kernel/testing/fake-ids.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import { fakeSignals } from '../../kernel/testing/fake-signals.ts'
import { faultPlan } from '../../kernel/testing/faults.ts'
import { faultySignals } from '../../kernel/testing/faulty-signals.ts'
import { faultyTransactions } from '../../kernel/testing/faulty-transactions.ts'
import type { Ports } from '../../ports.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'
import type { SimulatedConnection, SimulatedDatabase } from './engines.ts'
import { type Life, life, lived, livedClock, reachableInLife } from './life.ts'
import type { Mutant } from './mutants.ts'
import type { DeliveryObserver } from './observed.ts'
import type { Plan } from './plan.ts'

/** One process of the service: the real core over ports that fail as planned. */
export type Instance = Readonly<{
  /** Tells this process from every other, those before a restart included. */
  name: string
  core: Core
  life: Life
  heal(): void
  /** How often each fault has struck, under names such as `outbox slow`. */
  struck(): ReadonlyMap<string, number>
}>

/** What all instances of one world share. */
export type Surroundings = Readonly<{
  plan: Plan
  seed: number
  clock: Clock
  database: SimulatedDatabase
  sharedCache: ConfigCache
  broker: EventBroker
  observer: DeliveryObserver
  mutant: Mutant | null
}>

/** Starts a process. `boot` counts all processes of the world, so that no two share ids or chance. */
export async function startInstance(surroundings: Surroundings, boot: number, isHealed: boolean): Promise<Instance> {
  const { plan, clock, database } = surroundings
  const connection = await database.connect()
  const ownLife = life({
    clock,
    random: fakeRandom(surroundings.seed * 7919 + boot),
    crashRate: plan.crashRate,
    stallRate: plan.stallRate,
    stallMs: plan.stallMs,
    onKill: connection.kill,
  })
  const { ports, heal, struck } = failingPorts(surroundings, boot, ownLife, connection)
  const core = createCore(surroundings.mutant?.host?.(ports) ?? ports, plan.limits)
  const instance: Instance = {
    name: `instance ${boot}`,
    core,
    life: ownLife,
    heal: () => {
      ownLife.heal()
      heal()
    },
    struck,
  }
  if (isHealed) instance.heal()
  void core.run(neverCancelled)
  return instance
}

function failingPorts(
  { plan, seed, clock, sharedCache, broker, observer, mutant }: Surroundings,
  boot: number,
  ownLife: Life,
  connection: SimulatedConnection,
): Readonly<{ ports: Ports; heal: () => void; struck: () => ReadonlyMap<string, number> }> {
  const random = fakeRandom(seed * 104_729 + boot)
  const options = { random, clock, maxDelayMs: plan.delayMs }
  const transactionPlan = faultPlan({ ...options, rates: plan.transactions })
  const storePlan = faultPlan({ ...options, rates: plan.configStore })
  const cachePlan = faultPlan({ ...options, rates: plan.configCache })
  const outboxPlan = faultPlan({ ...options, rates: plan.outbox })
  const brokerPlan = faultPlan({ ...options, rates: plan.broker })
  const signalPlan = faultPlan({ ...options, rates: plan.signals })
  const reachable: StorePorts = {
    transactions: reachableInLife(ownLife, connection.ports.transactions),
    configStore: reachableInLife(ownLife, connection.ports.configStore),
    outbox: reachableInLife(ownLife, connection.ports.outbox),
  }
  const plans = {
    transactions: transactionPlan,
    'config store': storePlan,
    'config cache': cachePlan,
    outbox: outboxPlan,
    broker: brokerPlan,
    signals: signalPlan,
  }
  const store: StorePorts = mutant?.store?.(reachable) ?? reachable
  const cache = plan.sharedCache ? sharedCache : fakeConfigCache(clock)
  const ownClock = livedClock(ownLife, clock)
  const faultyCache = faultyConfigCache(mutant?.cache?.(cache) ?? cache, cachePlan, clock)
  const queues = observer.broker(broker)
  return {
    ports: {
      clock: ownClock,
      ids: fakeIds({ clock, node: boot }),
      random,
      digest: fakeDigest(),
      log: { write: () => {} },
      signals: faultySignals(fakeSignals(), signalPlan),
      transactions: lived(ownLife, faultyTransactions(store.transactions, transactionPlan)),
      configStore: lived(ownLife, faultyConfigStore(store.configStore, storePlan)),
      outbox: lived(ownLife, faultyOutbox(observer.outbox(store.outbox), outboxPlan)),
      configCache: {
        read: (name) => ownLife.around(() => faultyCache.read(name)),
        write: (name, record, ttlMs) => ownLife.around(() => faultyCache.write(name, record, ttlMs)),
      },
      eventBroker: lived(ownLife, faultyEventBroker(mutant?.broker?.(queues) ?? queues, brokerPlan)),
    },
    heal: () => {
      for (const each of Object.values(plans)) each.heal()
    },
    struck: () => {
      const named = Object.entries(plans).flatMap(([port, each]) =>
        [...each.counts].map(([fault, count]) => [`${port} ${fault}`, count] as const),
      )
      return new Map([...named, ['process stall', ownLife.stalls()], ['process crash', ownLife.isOver() ? 1 : 0]])
    },
  }
}
