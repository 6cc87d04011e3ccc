import type { ConfigCacheFault } from '../../config/testing/faulty-config-cache.ts'
import type { ConfigStoreFault } from '../../config/testing/faulty-config-store.ts'
import type { CoreLimits } from '../../create-core.ts'
import type { EventBrokerFault } from '../../events/testing/faulty-event-broker.ts'
import type { Random } from '../../kernel/random.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import type { CallFault } from '../../kernel/testing/faults.ts'
import type { SignalsFault } from '../../kernel/testing/faulty-signals.ts'
import type { TransactionFault } from '../../kernel/testing/faulty-transactions.ts'
import type { PaymentServiceFault } from '../../payments/testing/faulty-payment-service.ts'

type Rates<Name extends string> = Readonly<Partial<Record<Name, number>>>

/** What one world is like. Each seed enables only some parts and faults, because those that always come together hide each other. */
export type Plan = Readonly<{
  instances: number
  writers: number
  readers: number
  watchers: number
  payers: number
  subscribers: number
  /** Who makes, uses, rotates and revokes API keys. */
  keyHolders: number
  /** An extra consumer, whose effects are held against the streams. */
  witness: boolean
  /** The probability that the extra consumer cannot apply an event while faults last. */
  poisonRate: number
  /** How long faults last, in virtual milliseconds. */
  faultyMs: number
  /** Longest pause of a client between two calls. */
  pauseMs: number
  /** Longest delay of one slow call. */
  delayMs: number
  /** Drawn small in some worlds, so that they reach the edges of what core holds in hand. */
  limits: CoreLimits
  /** Instances share one cache, as with a cache server, or have one each. */
  sharedCache: boolean
  /** The broker confirms once its queues hold an event, and consumers take it from there; or only once they have accepted it. */
  queuedBroker: boolean
  /** The probability that an instance dies around one call to a port. */
  crashRate: number
  /** The probability that an instance stops for a while around one call to a port. */
  stallRate: number
  stallMs: number
  /** How far an instance's clock may be off, either way. */
  skewMs: number
  /** The probability that an instance's clock is set anew when it begins to sleep. */
  clockStepRate: number
  transactions: Rates<TransactionFault>
  configStore: Rates<ConfigStoreFault>
  configCache: Rates<ConfigCacheFault>
  outbox: Rates<CallFault>
  queries: Rates<CallFault>
  broker: Rates<EventBrokerFault>
  signals: Rates<SignalsFault>
  paymentService: Rates<PaymentServiceFault>
  /** Longest delay, and longest partition, on the way to the Payment Service. */
  paymentServiceDelayMs: number
  remote: RemotePlan
  transport: Rates<CallFault>
  /** Seconds before each try of a webhook. */
  retrySchedule: readonly number[]
}>

/** What the Payment Service and its webhooks are like. */
export type RemotePlan = Readonly<{
  /** Longest time that it takes to carry out an instruction. */
  courseMs: number
  failRate: number
  reverseRate: number
  /** The probability that an instruction meets trouble of its own there. */
  troubleRate: number
  /** The probability that one of its webhooks is lost for ever. */
  lossRate: number
  duplicateRate: number
  /** Longest delay of one of its webhooks. */
  delayMs: number
  /** The probability that it first reports a failure by mistake. */
  mistakeRate: number
  forgers: number
}>

const transactionFaults = [
  'slow',
  'contended',
  'unavailable',
  'lost-before',
  'lost-after',
  'lost-late',
  'settle-slow',
  'settle-unavailable-before',
  'settle-unavailable-after',
] as const
const brokerFaults = ['slow', 'refused', 'unavailable', 'confirm-lost', 'delivered-late', 'duplicated'] as const
const paymentServiceFaults = ['slow', 'unavailable-before', 'unavailable-after', 'unsent', 'late', 'partition'] as const

/** Clocks may be so far from the Payment Service's; core allows for 5 seconds. */
export const longestSkewMs = 4000

/** The plan of a seed: the same whenever it is asked for. */
export function planOf(seed: number): Plan {
  const random = fakeRandom(seed)
  const between = (low: number, high: number): number => low + Math.floor(random.fraction() * (high - low + 1))
  const sometimes = (rate: number): number => (random.fraction() < 0.5 ? rate * random.fraction() : 0)
  const parts = partsOf(random)
  const plan: Plan = {
    instances: between(1, 3),
    writers: parts.config ? between(1, 3) : 0,
    readers: parts.config ? between(1, 2) : 0,
    watchers: parts.config ? between(1, 2) : 0,
    payers: parts.payments ? between(1, 3) : 0,
    subscribers: parts.webhooks ? between(1, 4) : 0,
    keyHolders: 0,
    witness: parts.witness,
    poisonRate: sometimes(0.1),
    faultyMs: between(4, 14) * 1000,
    pauseMs: between(80, 800),
    delayMs: between(1, 600),
    limits: random.fraction() < 0.5 ? largeLimits : smallLimits(between),
    sharedCache: random.fraction() < 0.5,
    queuedBroker: random.fraction() < 0.5,
    crashRate: sometimes(0.004),
    stallRate: sometimes(0.004),
    stallMs: between(100, 25_000),
    skewMs: Math.round(sometimes(longestSkewMs)),
    clockStepRate: sometimes(0.05),
    transactions: ratesOf(random, transactionFaults),
    configStore: ratesOf(random, ['slow', 'unavailable-before']),
    configCache: ratesOf(random, ['forgotten', 'lost', 'slow', 'old']),
    outbox: ratesOf(random, ['slow', 'unavailable-before', 'unavailable-after']),
    queries: ratesOf(random, ['slow', 'unavailable-before']),
    broker: ratesOf(random, brokerFaults),
    signals: ratesOf(random, ['lost', 'late', 'repeated']),
    paymentService: ratesOf(random, paymentServiceFaults, 0.4),
    paymentServiceDelayMs: between(50, 20_000),
    remote: remotePlanOf(random, between, sometimes),
    transport: ratesOf(random, ['slow', 'unavailable-before', 'unavailable-after']),
    retrySchedule: random.fraction() < 0.3 ? [0, 1] : [0, 1, 2, 2, 5, 5, 5, 5],
  }
  return withKeyHolders(plan, seed)
}

/** Some worlds are about API keys alone: for the dead to be dead takes longer than others can be watched. Drawn apart, so that the rest stay as they are. */
function withKeyHolders(plan: Plan, seed: number): Plan {
  const random = fakeRandom(seed * 6007 + 5)
  if (random.fraction() >= 0.15) return plan
  const noOthers = {
    writers: 0,
    readers: 0,
    watchers: 0,
    payers: 0,
    subscribers: 0,
    witness: false,
    remote: { ...plan.remote, forgers: 0 },
  }
  return {
    ...plan,
    ...noOthers,
    keyHolders: 1 + Math.floor(random.fraction() * 3),
    faultyMs: 30_000 + Math.floor(random.fraction() * 150_000),
  }
}

function partsOf(random: Random): Readonly<{ config: boolean; payments: boolean; webhooks: boolean; witness: boolean }> {
  const payments = random.fraction() < 0.65
  const config = !payments || random.fraction() < 0.4
  return { config, payments, webhooks: random.fraction() < 0.5, witness: random.fraction() < 0.5 }
}

function remotePlanOf(random: Random, between: (low: number, high: number) => number, sometimes: (rate: number) => number): RemotePlan {
  return {
    courseMs: between(0, 4000),
    failRate: 0.4 * random.fraction(),
    reverseRate: sometimes(0.5),
    troubleRate: sometimes(0.6),
    lossRate: sometimes(0.8),
    duplicateRate: sometimes(0.8),
    delayMs: between(10, 6000),
    mistakeRate: sometimes(0.5),
    forgers: random.fraction() < 0.5 ? 1 : 0,
  }
}

const largeLimits: CoreLimits = {
  config: { feed: { memory: 4096, page: 1000 }, watchBatch: 500 },
  relay: { streams: 512, page: 64 },
  webhooks: { lanes: 256, inFlight: 8, page: 64, perLease: 1024 },
}

function smallLimits(between: (low: number, high: number) => number): CoreLimits {
  return {
    config: { feed: { memory: between(1, 8), page: between(1, 8) }, watchBatch: between(1, 4) },
    relay: { streams: between(1, 2), page: between(1, 4) },
    webhooks: { lanes: between(1, 2), inFlight: between(1, 2), page: between(1, 3), perLease: between(1, 4) },
  }
}

function ratesOf<Name extends string>(random: Random, names: readonly Name[], highest = 0.2): Rates<Name> {
  const enabled = names.filter(() => random.fraction() < 0.4)
  return Object.fromEntries(enabled.map((name) => [name, 0.01 + highest * random.fraction()])) as Rates<Name>
}
