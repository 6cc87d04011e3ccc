import { type Result, ResultAsync } from 'neverthrow'
import { Counter, type Registry } from 'prom-client'
import { histogram, type Series } from './histogram.ts'

/** Runs one call of a port and measures it. */
export type Call = <T, E>(operation: string, run: () => ResultAsync<T, E>) => ResultAsync<T, E>

type Operation = { readonly series: Series; errors: number }

/** Latency and outages of the calls of one system, as `cbp_<system>_call_…`. */
export function measuredCalls(registry: Registry, system: string, of: string): Call {
  const latency = histogram(registry, `cbp_${system}_call_duration_seconds`, `Latency of calls of the ${of} by operation`)
  const operations = new Map<string, Operation>()
  new Counter({
    name: `cbp_${system}_call_errors_total`,
    help: `Calls of the ${of} that it could not answer, by operation`,
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

const outages: ReadonlySet<unknown> = new Set([
  'store-unavailable',
  'outcome-unknown',
  'payment-service-unavailable',
  'user-directory-unavailable',
  'webhook-unanswered',
])

/** Refusals are answers; only what could not be done counts as an error. */
function isOutage(error: unknown): boolean {
  return typeof error === 'object' && error !== null && outages.has((error as { kind?: unknown }).kind)
}
