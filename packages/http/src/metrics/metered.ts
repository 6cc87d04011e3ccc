import type { ConfigStore, Outbox, Ports, Transactions } from '@cbp/core'
import { Counter, type Registry } from 'prom-client'
import { type Call, measuredCalls } from './calls.ts'
import {
  meteredDeadLetterStore,
  meteredPaymentService,
  meteredPaymentStore,
  meteredTransport,
  meteredUserDirectory,
  meteredWebhookStore,
} from './metered-stores.ts'

/** Wraps the ports so that store, cache and everything that is called over a network are measured. The ports themselves know nothing of it. */
export function metered(ports: Ports, registry: Registry): Ports {
  const call = measuredCalls(registry, 'store', 'store')
  const { paymentStore, webhookStore, deadLetterStore, paymentService, webhookTransport, userDirectory } = ports
  return {
    ...ports,
    transactions: meteredTransactions(ports.transactions, call),
    configStore: meteredConfigStore(ports.configStore, call),
    outbox: meteredOutbox(ports.outbox, call),
    configCache: meteredCache(ports, registry),
    paymentStore: meteredPaymentStore(paymentStore, call),
    webhookStore: meteredWebhookStore(webhookStore, call),
    deadLetterStore: meteredDeadLetterStore(deadLetterStore, call),
    paymentService: meteredPaymentService(paymentService, measuredCalls(registry, 'payment_service', 'Payment Service')),
    userDirectory: meteredUserDirectory(userDirectory, measuredCalls(registry, 'user_service', 'User Service')),
    webhookTransport: meteredTransport(webhookTransport, measuredCalls(registry, 'webhook_endpoint', 'endpoints of subscribers')),
  }
}

function meteredTransactions(inner: Ports['transactions'], call: Call): Ports['transactions'] {
  const attempt: Transactions<Parameters<Parameters<Ports['transactions']['attempt']>[1]>[0]>['attempt'] = (unit, work) =>
    call('transaction', () => inner.attempt(unit, work))
  return { attempt, settle: (unit) => call('settle', () => inner.settle(unit)) }
}

function meteredConfigStore(inner: ConfigStore, call: Call): ConfigStore {
  return {
    head: () => call('head', () => inner.head()),
    revisionAt: (instant) => call('revision-at', () => inner.revisionAt(instant)),
    chain: (component, key, scopes, asOf) => call('chain', () => inner.chain(component, key, scopes, asOf)),
    snapshot: (component, scopes, asOf) => call('snapshot', () => inner.snapshot(component, scopes, asOf)),
    version: (at, version) => call('version', () => inner.version(at, version)),
    history: (at, before, limit) => call('history', () => inner.history(at, before, limit)),
    components: (after, limit) => call('components', () => inner.components(after, limit)),
    changes: (after, selection, limit) => call('changes', () => inner.changes(after, selection, limit)),
  }
}

function meteredOutbox(inner: Outbox, call: Call): Outbox {
  return {
    lease: (request) => call('outbox-lease', () => inner.lease(request)),
    renew: (leases, leaseMs) => call('outbox-renew', () => inner.renew(leases, leaseMs)),
    pending: (after, limit) => call('outbox-pending', () => inner.pending(after, limit)),
    record: (reports) => call('outbox-record', () => inner.record(reports)),
    backlog: () => call('outbox-backlog', () => inner.backlog()),
    stream: (stream) => call('outbox-stream', () => inner.stream(stream)),
    streams: (filter, after, limit) => call('outbox-streams', () => inner.streams(filter, after, limit)),
    unblock: (stream) => call('outbox-unblock', () => inner.unblock(stream)),
  }
}

function meteredCache({ configCache: inner }: Ports, registry: Registry): Ports['configCache'] {
  let hits = 0
  let misses = 0
  new Counter({
    name: 'cbp_cache_reads_total',
    help: 'Reads of the configuration cache, by whether it held a record',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      this.reset()
      this.inc({ result: 'hit' }, hits)
      this.inc({ result: 'miss' }, misses)
    },
  })
  return {
    read: async (name) => {
      const record = await inner.read(name)
      if (record === null) misses += 1
      else hits += 1
      return record
    },
    write: (name, record, ttlMs) => inner.write(name, record, ttlMs),
  }
}
