import { Counter, type Registry } from 'prom-client'
import type { RequestRecord } from '../server/pipeline.ts'
import { histogram, type Series } from './histogram.ts'
import { counter } from './instruments.ts'

type Row = { readonly series: Series; readonly labels: Readonly<Record<'method' | 'route' | 'status', string>>; count: number }

const names = ['method', 'route', 'status'] as const

/** Counts requests and their latency by method, route template and status. Streams count when they end, without a latency. */
export function requestMetrics(registry: Registry): (record: RequestRecord) => void {
  const rows = new Map<string, Row>()
  const latency = histogram(registry, 'cbp_http_request_duration_seconds', 'Latency of requests by method, route and class of status')
  const latencies = new Map<string, Series>()
  new Counter({
    name: 'cbp_http_requests_total',
    help: 'Requests answered, by method, route and status',
    labelNames: names,
    registers: [registry],
    collect() {
      this.reset()
      for (const { labels, count } of rows.values()) this.inc(labels, count)
    },
  })
  let replays = 0
  counter(registry, 'cbp_idempotency_replays_total', 'Requests answered with what was kept under their Idempotency-Key', () => replays)
  const rowOf = (name: string, { method, route, status }: RequestRecord): Row => {
    const statusClass = `${Math.floor(status / 100)}xx`
    const className = `${method} ${route} ${statusClass}`
    const series = latencies.get(className) ?? latency({ method, route, status_class: statusClass })
    latencies.set(className, series)
    const row: Row = { series, labels: { method, route, status: String(status) }, count: 0 }
    rows.set(name, row)
    return row
  }
  return (record) => {
    const method = knownMethods.has(record.method) ? record.method : 'OTHER'
    const name = `${record.status}${method}${record.route}`
    const row = rows.get(name) ?? rowOf(name, { ...record, method })
    row.count += 1
    if (record.replayed) replays += 1
    if (record.route !== streamRoute) row.series.observe(record.durationMs / 1000)
  }
}

/** Methods are what the caller sends: without a list of them a caller could make up series. */
const knownMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'])
const streamRoute = '/config/watch'
