import { Counter, Gauge, type Registry } from 'prom-client'
import type { RequestDeadlines } from '../server/deadline.ts'

/** A count that core keeps by itself, read when the metrics are scraped. */
export function counter(registry: Registry, name: string, help: string, count: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset()
      this.inc(count())
    },
  })
}

export function gauge<Label extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labels: readonly Label[] = [],
): Gauge<Label> {
  return new Gauge({ name, help, labelNames: [...labels], registers: [registry] })
}

const readDeadlineMs = 1_000

/** Reads what a store tells; `null` when it does not answer in time. It then leaves a gap in the series, which is the truth. */
export type ReadInTime = <T>(read: Promise<T | null>) => Promise<T | null>

export function readingInTime(deadlines: RequestDeadlines): ReadInTime {
  return <T>(read: Promise<T | null>) => deadlines.within<T | null>(read, readDeadlineMs, () => null)
}

/** Seconds since an instant; 0 when there is none. */
export function ageSeconds(now: number, since: number | null): number {
  return since === null ? 0 : Math.max(0, now - since) / 1000
}
