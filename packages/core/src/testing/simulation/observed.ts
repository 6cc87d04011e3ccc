import type { EventBroker, Outbox, Sequence, SequencedEvent, Stream } from '../../events/index.ts'
import type { Violation } from './history.ts'

/** What left through the broker and what was recorded of it, seen from outside every instance. */
export interface DeliveryObserver {
  /** Notes what arrives at the consumers behind the broker. */
  broker(inner: EventBroker): EventBroker
  /** Holds what relays record against the leases handed out and the deliveries made. */
  outbox(inner: Outbox): Outbox
  /** The sequences of each stream in the order of their first deliveries. */
  firstDeliveries(): ReadonlyMap<Stream, readonly Sequence[]>
  delivered(stream: Stream, sequence: Sequence): SequencedEvent | undefined
}

export function deliveryObserver(violations: Violation[]): DeliveryObserver {
  const deliveries = new Map<Stream, Map<Sequence, SequencedEvent>>()
  const newestFence = new Map<Stream, number>()

  const isDelivered = (stream: Stream, through: Sequence): boolean => {
    const own = deliveries.get(stream)
    for (let sequence = 1; sequence <= through; sequence += 1) if (own?.has(sequence) !== true) return false
    return true
  }

  const noteDelivery = (event: SequencedEvent): void => {
    const own = deliveries.get(event.stream) ?? new Map<Sequence, SequencedEvent>()
    if (!own.has(event.sequence)) own.set(event.sequence, event)
    deliveries.set(event.stream, own)
  }

  return {
    broker: (inner) => ({
      subscribe: inner.subscribe,
      publish: (event) => inner.publish(event).map(() => noteDelivery(event)),
    }),
    outbox: (inner) => ({
      ...inner,
      lease: (request) =>
        inner.lease(request).map((leased) => {
          for (const { stream, fence } of leased) {
            if (fence <= (newestFence.get(stream) ?? 0))
              violations.push({ law: 'L14', detail: `fence ${fence} of ${stream} was handed out before` })
            newestFence.set(stream, Math.max(fence, newestFence.get(stream) ?? 0))
          }
          return leased
        }),
      record(reports) {
        const fenced = reports.filter(({ stream, fence }) => fence < (newestFence.get(stream) ?? 0))
        return inner.record(reports).map((refused) => {
          for (const report of fenced) {
            if (!refused.includes(report))
              violations.push({ law: 'L14', detail: `${report.kind} of ${report.stream} was recorded under the old fence ${report.fence}` })
          }
          for (const report of reports) {
            if (report.kind !== 'confirmed' || refused.includes(report) || isDelivered(report.stream, report.through)) continue
            violations.push({ law: 'L12', detail: `${report.stream} was confirmed through ${report.through} without delivery` })
          }
          return refused
        })
      },
    }),
    firstDeliveries: () => new Map([...deliveries].map(([stream, own]) => [stream, [...own.keys()]])),
    delivered: (stream, sequence) => deliveries.get(stream)?.get(sequence),
  }
}
