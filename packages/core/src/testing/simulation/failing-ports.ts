import { fakeRecipientSeal } from '../../access/testing/fake-recipient-seal.ts'
import { fakeConfigCache } from '../../config/testing/fake-config-cache.ts'
import { faultyConfigCache } from '../../config/testing/faulty-config-cache.ts'
import { faultyConfigStore } from '../../config/testing/faulty-config-store.ts'
import { faultyEventBroker } from '../../events/testing/faulty-event-broker.ts'
import { faultyOutbox } from '../../events/testing/faulty-outbox.ts'
import { fakeIds } from '../../kernel/testing/fake-ids.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import { fakeSecretSource } from '../../kernel/testing/fake-secret-source.ts'
import { fakeSignals } from '../../kernel/testing/fake-signals.ts'
import { faultPlan } from '../../kernel/testing/faults.ts'
import { faultySignals } from '../../kernel/testing/faulty-signals.ts'
import { faultyTransactions } from '../../kernel/testing/faulty-transactions.ts'
import { faultyPaymentService } from '../../payments/testing/faulty-payment-service.ts'
import type { Ports } from '../../ports.ts'
import { fakeUserDirectory } from '../../users/testing/fake-user-directory.ts'
import { faultyWebhookStore } from '../../webhooks/testing/faulty-webhook-store.ts'
import { faultyWebhookTransport } from '../../webhooks/testing/faulty-webhook-transport.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'
import { cheapDigest, cheapKeyRing, cheapMac } from './cheap-secrets.ts'
import type { SimulatedConnection } from './engines.ts'
import { faultyQueries } from './faulty-queries.ts'
import type { Surroundings } from './instance.ts'
import { type Life, lived, livedClock, reachableInLife } from './life.ts'
import { livedBroker, livedTransport, skewedClock } from './life-ports.ts'
import type { Plan } from './plan.ts'
import { serviceSecret } from './service-sender.ts'

type Failing = Readonly<{ ports: Ports; heal: () => void; struck: () => ReadonlyMap<string, number> }>

/** The ports of one process: what the world offers, behind faults, within the life of the process. */
export function failingPorts(
  { plan, seed, clock, sharedCache, broker, observer, paymentService, webhookTransport, mutant }: Surroundings,
  boot: number,
  ownLife: Life,
  connection: SimulatedConnection,
  onKill: (stop: () => void) => void,
): Failing {
  const random = fakeRandom(seed * 104_729 + boot)
  const plans = faultPlans(plan, { random, clock, maxDelayMs: plan.delayMs })
  const reached = reachable(ownLife, connection)
  const store = mutant?.store?.(reached) ?? reached
  const cache = plan.sharedCache ? sharedCache : fakeConfigCache(clock)
  const skewed = skewedClock({ clock, random: fakeRandom(seed * 31_337 + boot), skewMs: plan.skewMs, stepRate: plan.clockStepRate })
  const ownClock = livedClock(ownLife, skewed)
  const ids = fakeIds({ clock: skewed, node: boot })
  const faultyCache = faultyConfigCache(mutant?.cache?.(cache) ?? cache, plans['config cache'], clock)
  const queues = observer.broker(broker)
  const service = lived(ownLife, faultyPaymentService(paymentService, plans['payment service']))
  const transport = livedTransport(ownLife, faultyWebhookTransport(webhookTransport, plans['webhook transport']))
  return {
    ports: {
      clock: ownClock,
      ids,
      random,
      digest: cheapDigest,
      log: { write: () => {} },
      signals: faultySignals(fakeSignals(), plans.signals),
      transactions: lived(ownLife, faultyTransactions(store.transactions, plans.transactions)),
      configStore: lived(ownLife, faultyConfigStore(store.configStore, plans['config store'])),
      outbox: lived(ownLife, faultyOutbox(observer.outbox(store.outbox), plans.outbox)),
      configCache: {
        read: (name) => ownLife.around(() => faultyCache.read(name)),
        write: (name, record, ttlMs) => ownLife.around(() => faultyCache.write(name, record, ttlMs)),
      },
      eventBroker: livedBroker(ownLife, faultyEventBroker(mutant?.broker?.(queues) ?? queues, plans.broker), onKill),
      deadLetterStore: lived(ownLife, faultyQueries(store.deadLetterStore, plans.queries)),
      paymentStore: lived(ownLife, faultyQueries(store.paymentStore, plans.queries)),
      paymentService: mutant?.paymentService?.(service, { clock: ownClock, ids }) ?? service,
      webhookStore: lived(ownLife, faultyWebhookStore(store.webhookStore, plans.queries)),
      webhookTransport: mutant?.webhookTransport?.(transport) ?? transport,
      apiKeyStore: lived(ownLife, faultyQueries(store.apiKeyStore, plans.queries)),
      auditStore: lived(ownLife, faultyQueries(store.auditStore, plans.queries)),
      dataKeyStore: lived(ownLife, faultyQueries(store.dataKeyStore, plans.queries)),
      recipientSeal: fakeRecipientSeal(),
      userDirectory: fakeUserDirectory(),
      mac: cheapMac,
      secretSource: fakeSecretSource(seed * 613 + boot),
      keyRing: cheapKeyRing,
      environment: 'development',
      inboundSecrets: [serviceSecret],
    },
    heal: () => {
      skewed.heal()
      for (const each of Object.values(plans)) each.heal()
    },
    struck: () => {
      const named = Object.entries(plans).flatMap(([port, each]) =>
        [...each.counts].map(([fault, count]) => [`${port} ${fault}`, count] as const),
      )
      return new Map([
        ...named,
        ['process stall', ownLife.stalls()],
        ['process crash', ownLife.isOver() ? 1 : 0],
        ['clock step', skewed.steps()],
      ])
    },
  }
}

type PlanOptions = Omit<Parameters<typeof faultPlan>[0], 'rates'>

function faultPlans(plan: Plan, options: PlanOptions) {
  const { paymentServiceDelayMs } = plan
  return {
    transactions: faultPlan({ ...options, rates: plan.transactions }),
    'config store': faultPlan({ ...options, rates: plan.configStore }),
    'config cache': faultPlan({ ...options, rates: plan.configCache }),
    outbox: faultPlan({ ...options, rates: plan.outbox }),
    queries: faultPlan({ ...options, rates: plan.queries }),
    broker: faultPlan({ ...options, rates: plan.broker }),
    signals: faultPlan({ ...options, rates: plan.signals }),
    'payment service': faultPlan({ ...options, maxDelayMs: paymentServiceDelayMs, rates: plan.paymentService }),
    'webhook transport': faultPlan({ ...options, rates: plan.transport }),
  }
}

function reachable(ownLife: Life, { ports }: SimulatedConnection): StorePorts {
  return {
    transactions: reachableInLife(ownLife, ports.transactions),
    configStore: reachableInLife(ownLife, ports.configStore),
    outbox: reachableInLife(ownLife, ports.outbox),
    deadLetterStore: reachableInLife(ownLife, ports.deadLetterStore),
    paymentStore: reachableInLife(ownLife, ports.paymentStore),
    webhookStore: reachableInLife(ownLife, ports.webhookStore),
    apiKeyStore: reachableInLife(ownLife, ports.apiKeyStore),
    auditStore: reachableInLife(ownLife, ports.auditStore),
    dataKeyStore: reachableInLife(ownLife, ports.dataKeyStore),
  }
}
