import { z } from '@hono/zod-openapi'
import { type Answer, answerWith, encodedJson, publicJson } from '../server/answer.ts'
import type { AppDependencies } from '../server/dependencies.ts'
import { type Endpoint, endpoint } from '../server/endpoint.ts'
import type { HealthCheck, HealthStatus } from './probes.ts'

const status = z.enum(['pass', 'warn', 'fail'])
const check = z.strictObject({ status, output: z.string(), engine: z.string(), durationMs: z.int() })
const health = z.strictObject({ status, checks: z.record(z.string(), check) }).openapi('Health')

type Checks = Readonly<Record<string, HealthCheck>>

/** Open to everyone, because those who ask are load balancers and people in a hurry. */
export function healthEndpoints({ health: probes, lifecycle }: Pick<AppDependencies, 'health' | 'lifecycle'>): readonly Endpoint[] {
  const all = async (): Promise<Checks> => {
    const [database, cache, queue, tls] = await Promise.all([probes.database(), probes.cache(), probes.queue(), probes.tls?.()])
    return tls === undefined ? { database, cache, queue } : { database, cache, queue, tls }
  }
  const serving = (): HealthCheck =>
    lifecycle.isStopping()
      ? { status: 'fail', output: 'this instance is shutting down', engine: 'http', durationMs: 0 }
      : { status: 'pass', output: 'this instance takes requests', engine: 'http', durationMs: 0 }
  return [
    checkEndpoint('/health', 'Everything this instance depends on', all),
    checkEndpoint('/health/live', 'Whether this process runs; asks nothing else', async () => ({})),
    checkEndpoint('/health/ready', 'Whether to send requests here; fails during shutdown', async () => ({
      serving: serving(),
      database: await probes.database(),
    })),
    checkEndpoint('/health/database', 'Reads the store', async () => ({ database: await probes.database() })),
    checkEndpoint('/health/cache', 'Asks the cache', async () => ({ cache: await probes.cache() })),
    checkEndpoint('/health/queue', 'Events and webhooks that wait; warns where one waits for an operator', async () => ({
      queue: await probes.queue(),
    })),
  ]
}

function checkEndpoint(path: string, summary: string, look: () => Promise<Checks>): Endpoint {
  return endpoint({
    method: 'get',
    path,
    permission: null,
    confinement: 'open',
    traffic: 'probe',
    summary,
    tag: 'Health',
    successes: {
      200: { description: 'pass or warn', content: { 'application/json': health } },
      503: { description: 'fail', content: { 'application/json': health } },
    },
    handle: async (): Promise<Answer> => {
      const checks = await look()
      const worst = worstOf(Object.values(checks).map((each) => each.status))
      const headers = { ...publicJson, 'cache-control': 'no-store' }
      return answerWith(worst === 'fail' ? 503 : 200, headers, encodedJson({ status: worst, checks }))
    },
  })
}

function worstOf(statuses: readonly HealthStatus[]): HealthStatus {
  if (statuses.includes('fail')) return 'fail'
  return statuses.includes('warn') ? 'warn' : 'pass'
}
