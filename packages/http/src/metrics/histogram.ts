import type { Registry } from 'prom-client'

/** Latencies of one labelled series. */
export interface Series {
  /** Counts one duration, in seconds. */
  observe(seconds: number): void
}

type Cell = { readonly labels: Readonly<Record<string, string>>; readonly counts: number[]; sum: number; count: number }

const bounds: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

type Sample = Readonly<{ metricName: string; labels: Readonly<Record<string, string | number>>; value: number }>

/**
 * A histogram whose series are resolved once and then count in plain arrays: prom-client's own hashes the labels of every
 * observation. It is registered with prom-client like any other.
 */
export function histogram(registry: Registry, name: string, help: string): (labels: Readonly<Record<string, string>>) => Series {
  const cells: Cell[] = []
  const metric = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    reset: (): void => {
      for (const cell of cells) {
        cell.counts.fill(0)
        cell.sum = 0
        cell.count = 0
      }
    },
    get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: cells.flatMap((cell) => samplesOf(name, cell)) }),
  }
  // The type asks for one of prom-client's classes; the registry itself asks for no more than this.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0])
  return (labels) => {
    const cell: Cell = { labels, counts: bounds.map(() => 0), sum: 0, count: 0 }
    cells.push(cell)
    return {
      observe(seconds) {
        cell.sum += seconds
        cell.count += 1
        let index = 0
        while (index < bounds.length && seconds > (bounds[index] as number)) index += 1
        if (index < bounds.length) cell.counts[index] = (cell.counts[index] as number) + 1
      },
    }
  }
}

function samplesOf(name: string, { labels, counts, sum, count }: Cell): readonly Sample[] {
  let below = 0
  const buckets = bounds.map((le, index): Sample => {
    below += counts[index] as number
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below }
  })
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
