import type { ConfigCache } from '../../config/index.ts'
import { type Core, createCore } from '../../create-core.ts'
import type { ConsumerDefinition, EventBroker } from '../../events/index.ts'
import { neverCancelled } from '../../kernel/cancel.ts'
import type { Clock } from '../../kernel/clock.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import type { PaymentService } from '../../payments/index.ts'
import type { WebhookTransport } from '../../webhooks/index.ts'
import type { SimulatedDatabase } from './engines.ts'
import { failingPorts } from './failing-ports.ts'
import { type Life, life } from './life.ts'
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
  paymentService: PaymentService
  webhookTransport: WebhookTransport
  consumers: readonly ConsumerDefinition[]
  mutant: Mutant | null
}>

/** Starts a process. `boot` counts all processes of the world, so that no two share ids or chance. */
export async function startInstance(surroundings: Surroundings, boot: number, isHealed: boolean): Promise<Instance> {
  const { plan, clock, database, mutant } = surroundings
  const connection = await database.connect()
  const endings: (() => void)[] = [connection.kill]
  const ownLife = life({
    clock,
    random: fakeRandom(surroundings.seed * 7919 + boot),
    crashRate: plan.crashRate,
    stallRate: plan.stallRate,
    stallMs: plan.stallMs,
    onKill: () => {
      for (const end of endings) end()
    },
  })
  const { ports, heal, struck } = failingPorts(surroundings, boot, ownLife, connection, (stop) => endings.push(stop))
  const { consumers } = surroundings
  const core = createCore(mutant?.host?.(ports) ?? ports, { limits: plan.limits, consumers })
  const instance: Instance = {
    name: `instance ${boot}`,
    core: mutant?.core?.(core, ports) ?? core,
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
