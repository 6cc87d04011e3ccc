import { type ConfigLimits, type ConfigService, configService, tunables } from './config/index.ts'
import { type EventsService, type RelayLimits, relay } from './events/index.ts'
import type { CancelSignal } from './kernel/cancel.ts'
import type { PaymentsService } from './payments/index.ts'
import type { Ports } from './ports.ts'
import type { WebhooksService } from './webhooks/index.ts'

/** The whole hexagon: every use case as a typed function. */
export type Core = Readonly<{
  config: ConfigService
  payments: PaymentsService
  webhooks: WebhooksService
  events: EventsService
  /**
   * All background work of a serving instance. Resolves after `cancel` has fired and everything under way has ended.
   * A short-lived program does without: reads go to the store, and events are left to the serving instances.
   */
  run: (cancel: CancelSignal) => Promise<void>
}>

/** How much core holds in hand at a time. The defaults suit a serving instance; tests draw them small to reach their edges. */
export type CoreLimits = Readonly<{ config: ConfigLimits; relay: RelayLimits }>

const defaultLimits: CoreLimits = {
  config: { feed: { memory: 4096, page: 1000 }, watchBatch: 500 },
  relay: { streams: 512, page: 64 },
}

/** Assembles core over its ports: no container, no environment, no I/O of its own. */
export function createCore(ports: Ports, limits: CoreLimits = defaultLimits): Core {
  const { outbox, eventBroker: broker, clock, random, signals, log, ids } = ports
  const config = configService(ports, limits.config)
  const { run, counts } = relay({
    outbox,
    broker,
    clock,
    random,
    signals,
    log,
    owner: ids.next(),
    leaseMs: () => config.tunable(tunables.relayLeaseMs),
    limits: limits.relay,
  })
  return {
    config,
    events: {
      backlog: outbox.backlog,
      stream: outbox.stream,
      streams: outbox.streams,
      unblock: outbox.unblock,
      relay: run,
      relayCounts: counts,
    },
    run: async (cancel) => {
      await Promise.all([config.followChanges(cancel), run(cancel)])
    },
  }
}
