import { z } from '@hono/zod-openapi'
import { encoded, represent } from '../server/answer.ts'
import type { AppDependencies } from '../server/dependencies.ts'
import { type Endpoint, endpoint } from '../server/endpoint.ts'
import { openMetricsOf } from './open-metrics.ts'

const prometheusType = 'text/plain; version=0.0.4; charset=utf-8'
const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

export function metricsEndpoints({ exposeMetrics }: Pick<AppDependencies, 'exposeMetrics'>): readonly Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/metrics',
      permission: 'monitoring:read',
      confinement: 'permission',
      summary: 'The metrics of this instance',
      description: 'Prometheus text format; OpenMetrics when Accept asks for it.',
      tag: 'Monitoring',
      successes: {
        200: { description: 'The exposition', content: { 'text/plain': z.string(), 'application/openmetrics-text': z.string() } },
      },
      handle: async (_input, exchange) => {
        const text = await exposeMetrics()
        const isOpenMetrics = exchange.header('accept')?.includes('application/openmetrics-text') === true
        const headers = {
          'content-type': isOpenMetrics ? openMetricsType : prometheusType,
          'cache-control': 'private, no-store',
          vary: 'Authorization, Accept, Accept-Encoding',
        }
        const body = encoded(isOpenMetrics ? openMetricsOf(text) : text)
        return represent(exchange, { status: 200, headers, body, etag: null })
      },
    }),
  ]
}
