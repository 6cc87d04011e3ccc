import type { ConfigStore, Outbox, Ports, Transactions } from '@cbp/core'
import { type Result, ResultAsync } from 'neverthrow'
import { Counter, type Registry } from 'prom-client'
import { histogram, type Series } from './histogram.ts'

/** Wraps the ports so that store, cache and broker are measured. The ports themselves know nothing of it. */
export function metered(ports: Ports, registry: Registry): Ports {
  const call = storeCalls(registry)
  return {
    ...ports,
    transactions: meteredTransactions(ports.transactions, call),
    configStore: meteredConfigStore(ports.configStore, call),
    outbox: meteredOutbox(ports.outbox, call),
    configCache: meteredCache(ports, registry),
  }
}

type Call = <T, E>(operation: string, run: () => ResultAsync<T, E>) => ResultAsync<T, E>

type Operation = { readonly series: Series; errors: number }

function storeCalls(registry: Registry): Call {
  const latency = histogram(registry, 'cbp_store_call_duration_seconds', 'Latency of calls of the store by operation')
  const operations = new Map<string, Operation>()
  new Counter({
    name: 'cbp_store_call_errors_total',
    help: 'Calls of the store that it could not answer, by operation',
    labelNames: ['operation'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [operation, { errors }] of operations) this.inc({ operation }, errors)
    },
  })
  const operationOf = (name: string): Operation => {
    const known = operations.get(name)
    if (known !== undefined) return known
    const made: Operation = { series: latency({ operation: name }), errors: 0 }
    operations.set(name, made)
    return made
  }
  return <T, E>(name: string, run: () => ResultAsync<T, E>): ResultAsync<T, E> => {
    const operation = operationOf(name)
    const startedAt = performance.now()
    const result = run()
    const observe = async (): Promise<Result<T, E>> => {
      const settled = await result
      operation.series.observe((performance.now() - startedAt) / 1000)
      if (settled.isErr() && isOutage(settled.error)) operation.errors += 1
      return settled
    }
    return new ResultAsync(observe())
  }
}

/** Refusals are answers; only what the store could not do counts as an error. */
function isOutage(error: unknown): boolean {
  const kind = typeof error === 'object' && error !== null ? (error as { kind?: unknown }).kind : undefined
  return kind === 'store-unavailable' || kind === 'outcome-unknown'
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
