import type { Core } from '@cbp/core'
import type { Services } from '../assembly/index.ts'
import { requestDeadlines } from '../server/deadline.ts'
import { queueFinding, readQueues } from './queue.ts'

export type HealthStatus = 'pass' | 'warn' | 'fail'

/** What one check saw. */
export type HealthCheck = Readonly<{ status: HealthStatus; output: string; engine: string; durationMs: number }>

type Probe = () => Promise<HealthCheck>

/** `tls` where this instance has a certificate. */
export type HealthProbes = Readonly<Record<'database' | 'cache' | 'queue', Probe>> & Readonly<{ tls?: Probe }>

const probeDeadlineMs = 2_000

/** Probes that really ask; none waits longer than two seconds. */
export function healthProbes(
  deps: Readonly<{
    engines: Services['engineHealth']
    /** Reads the store and looks after what it lies on. */
    examineStore: Services['engineHealth']['cache']
    readCache: () => Promise<unknown>
    core: Pick<Core, 'events' | 'webhooks'>
    /** How long the certificate is good for; `null` or absent where there is none. */
    certificate?: Probe | null
  }>,
): HealthProbes {
  const { engines, examineStore, readCache, core, certificate = null } = deps
  return {
    ...(certificate === null ? {} : { tls: certificate }),
    database: () =>
      probe(engines.names.database, async () => {
        const { status, reason } = await examineStore()
        return [status, reason ?? 'the store answers reads']
      }),
    cache: () =>
      probe(engines.names.cache, async () => {
        const { status, reason } = await engines.cache()
        if (status === 'pass') await readCache()
        return [status, reason ?? 'the cache answers']
      }),
    queue: () =>
      probe(engines.names.queue, async () => {
        const [broker, waiting] = await Promise.all([engines.queue(), readQueues(core)])
        if (waiting.isErr()) return ['fail', waiting.error.reason]
        const { status, output } = queueFinding(waiting.value)
        return broker.status === 'pass' ? [status, output] : [broker.status, `${broker.reason ?? 'the broker is away'}; ${output}`]
      }),
  }
}

type Finding = readonly [status: HealthStatus, output: string]

const deadlines = requestDeadlines(100)

async function probe(engine: string, look: () => Promise<Finding>): Promise<HealthCheck> {
  const startedAt = performance.now()
  const found = look().catch((error: unknown): Finding => ['fail', error instanceof Error ? error.message : String(error)])
  const [status, output] = await deadlines.within<Finding>(found, probeDeadlineMs, () => ['fail', `no answer within ${probeDeadlineMs} ms`])
  return { status, output, engine, durationMs: Math.round(performance.now() - startedAt) }
}
