import { type AccessService, accessService } from './access/index.ts'
import { type AuditService, auditService } from './audit/index.ts'
import { type ConfigLimits, type ConfigService, configService, tunables } from './config/index.ts'
import { type ConsumerDefinition, type EventsService, eventsService, type RelayLimits } from './events/index.ts'
import type { CancelSignal } from './kernel/cancel.ts'
import { unitOfWork } from './kernel/unit-of-work.ts'
import { applyReport, type PaymentsService, paymentsService } from './payments/index.ts'
import type { Ports } from './ports.ts'
import { dataKeys, type SealingService, sealedDataKeys, sealingService } from './sealing/index.ts'
import type { Transaction } from './transaction.ts'
import { type UsersService, usersService } from './users/index.ts'
import { type DispatcherLimits, fanOut, sealedSubscriptionSecrets, type WebhooksService, webhooksService } from './webhooks/index.ts'

/** The whole hexagon: every use case as a typed function. */
export type Core = Readonly<{
  config: ConfigService
  payments: PaymentsService
  webhooks: WebhooksService
  events: EventsService
  users: UsersService
  access: AccessService
  audit: AuditService
  sealing: SealingService
  /**
   * All background work of a serving instance. Resolves after `cancel` has fired and everything under way has ended.
   * A short-lived program does without: reads go to the store, and events are left to the serving instances.
   */
  run: (cancel: CancelSignal) => Promise<void>
}>

/** How much core holds in hand at a time. The defaults suit a serving instance; tests draw them small to reach their edges. */
export type CoreLimits = Readonly<{ config: ConfigLimits; relay: RelayLimits; webhooks: DispatcherLimits }>

export type CoreOptions = Readonly<{
  limits?: Partial<CoreLimits>
  /** Consumers of events beside core's own; each name is a place in the streams, for good. */
  consumers?: readonly ConsumerDefinition[]
}>

const defaultLimits: CoreLimits = {
  config: { feed: { memory: 4096, page: 1000 }, watchBatch: 500 },
  relay: { streams: 512, page: 64 },
  webhooks: { lanes: 256, inFlight: 8, page: 64, perLease: 1024 },
}

/** Assembles core over its ports: no container, no environment, no I/O of its own. */
export function createCore(ports: Ports, { limits: given = {}, consumers = [] }: CoreOptions = {}): Core {
  const limits = { ...defaultLimits, ...given }
  const { transactions, ids, clock, random, signals } = ports
  const units = unitOfWork<Transaction>({ transactions, ids, clock, random, signals })
  const keys = dataKeys({ ...ports, unitOfWork: units })
  const audit = auditService({ ...ports, unitOfWork: units, dataKeys: keys })
  const config = configService(ports, limits.config)
  const access = accessService({ ...ports, dataKeys: keys, audit, tunable: config.tunable })
  const payments = paymentsService(ports)
  const webhooks = webhooksService({ ...ports, tunable: config.tunable, applyReport, audit }, limits.webhooks)
  const events = eventsService({
    ...ports,
    unitOfWork: units,
    owner: ids.next(),
    leaseMs: () => config.tunable(tunables.relayLeaseMs),
    limits: limits.relay,
    consumers: [fanOut({ ids, clock, random, tunable: config.tunable }), ...consumers],
  })
  return {
    config,
    payments,
    webhooks,
    events,
    users: usersService(ports),
    access,
    audit,
    sealing: sealingService<Transaction>({
      keyRing: ports.keyRing,
      unitOfWork: units,
      sealed: [sealedDataKeys(ports.dataKeyStore), sealedSubscriptionSecrets(ports.webhookStore)],
      openTrail: audit.openTrail,
    }),
    run: async (cancel) => {
      await Promise.all([
        config.followChanges(cancel),
        events.relay(cancel),
        payments.reconcile(cancel),
        webhooks.dispatch(cancel),
        access.watchKeys(cancel),
        audit.keepNotes(cancel),
      ])
    },
  }
}
