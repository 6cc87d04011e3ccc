import type { ConfigCacheFault } from '../../config/testing/faulty-config-cache.ts'
import type { ConfigStoreFault } from '../../config/testing/faulty-config-store.ts'
import type { CoreLimits } from '../../create-core.ts'
import type { EventBrokerFault } from '../../events/testing/faulty-event-broker.ts'
import type { Random } from '../../kernel/random.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import type { CallFault } from '../../kernel/testing/faults.ts'
import type { SignalsFault } from '../../kernel/testing/faulty-signals.ts'
import type { TransactionFault } from '../../kernel/testing/faulty-transactions.ts'

type Rates<Name extends string> = Readonly<Partial<Record<Name, number>>>

/** What one world is like. Each seed enables only some faults, because faults that always come together hide each other. */
export type Plan = Readonly<{
  instances: number
  writers: number
  readers: number
  watchers: number
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
  /** The probability that an instance dies around one call to a port. */
  crashRate: number
  /** The probability that an instance stops for a while around one call to a port. */
  stallRate: number
  stallMs: number
  transactions: Rates<TransactionFault>
  configStore: Rates<ConfigStoreFault>
  configCache: Rates<ConfigCacheFault>
  outbox: Rates<CallFault>
  broker: Rates<EventBrokerFault>
  signals: Rates<SignalsFault>
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

/** The plan of a seed: the same whenever it is asked for. */
export function planOf(seed: number): Plan {
  const random = fakeRandom(seed)
  const between = (low: number, high: number): number => low + Math.floor(random.fraction() * (high - low + 1))
  const sometimes = (rate: number): number => (random.fraction() < 0.5 ? rate * random.fraction() : 0)
  return {
    instances: between(1, 3),
    writers: between(1, 4),
    readers: between(1, 3),
    watchers: between(1, 3),
    faultyMs: between(4, 20) * 1000,
    pauseMs: between(20, 400),
    delayMs: between(1, 600),
    limits: random.fraction() < 0.5 ? largeLimits : smallLimits(between),
    sharedCache: random.fraction() < 0.5,
    crashRate: sometimes(0.004),
    stallRate: sometimes(0.004),
    stallMs: between(100, 25_000),
    transactions: ratesOf(random, transactionFaults),
    configStore: ratesOf(random, ['slow', 'unavailable-before']),
    configCache: ratesOf(random, ['forgotten', 'lost', 'slow', 'old']),
    outbox: ratesOf(random, ['slow', 'unavailable-before', 'unavailable-after']),
    broker: ratesOf(random, brokerFaults),
    signals: ratesOf(random, ['lost', 'late', 'repeated']),
  }
}

const largeLimits: CoreLimits = { config: { feed: { memory: 4096, page: 1000 }, watchBatch: 500 }, relay: { streams: 512, page: 64 } }

function smallLimits(between: (low: number, high: number) => number): CoreLimits {
  return {
    config: { feed: { memory: between(1, 8), page: between(1, 8) }, watchBatch: between(1, 4) },
    relay: { streams: between(1, 2), page: between(1, 4) },
  }
}

function ratesOf<Name extends string>(random: Random, names: readonly Name[]): Rates<Name> {
  const enabled = names.filter(() => random.fraction() < 0.4)
  return Object.fromEntries(enabled.map((name) => [name, 0.01 + 0.2 * random.fraction()])) as Rates<Name>
}
