import { configStream } from '../../config/configuration-updated.ts'
import type { Sequence, SequencedEvent, Stream } from '../../events/index.ts'
import { canonicalJson } from '../../kernel/json.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'
import type { Violation } from './history.ts'
import type { DeliveryObserver } from './observed.ts'
import { sure, type Truth } from './truth.ts'

const everyEvent = 1_000_000

/** Committed units held against outbox rows, and those against what was delivered. */
export async function eventViolations(truth: Truth, { outbox }: StorePorts, observer: DeliveryObserver): Promise<readonly Violation[]> {
  const changed = Map.groupBy(
    truth.units.flatMap((unit) => [...new Set(unit.changes.map(({ component }) => component))].map((component) => ({ component, unit }))),
    ({ component }) => configStream(component),
  )
  const found: Violation[] = [...orderViolations(observer)]
  for (const [stream, units] of changed) {
    const events = await allEvents(outbox, stream)
    found.push(...rowViolations(stream, units, events), ...deliveryViolations(stream, events, observer))
  }
  const { events, blockedStreams } = sure(await outbox.backlog())
  if (events > 0) found.push({ law: 'L12', detail: `${events} events are still pending, ${blockedStreams} streams blocked` })
  return found
}

async function allEvents(outbox: StorePorts['outbox'], stream: Stream): Promise<readonly SequencedEvent[]> {
  return sure(await outbox.pending([{ stream, after: 0 }], everyEvent))
}

/** L11: one row for each unit and component, in the order of the revisions. */
function rowViolations(
  stream: Stream,
  units: readonly { component: string; unit: Truth['units'][number] }[],
  events: readonly SequencedEvent[],
): readonly Violation[] {
  const expected = units.map(({ component, unit }) =>
    canonicalJson(
      unit.changes.filter((change) => change.component === component).map(({ key, scope, version, op }) => ({ key, scope, version, op })),
    ),
  )
  const rows = events.map(({ event }) => canonicalJson('details' in event.payload ? (event.payload.details['changes'] ?? null) : null))
  if (rows.join() !== expected.join())
    return [{ law: 'L11', detail: `${stream} has ${rows.length} rows for ${expected.length} units, or others` }]
  const isNumbered = events.every(({ sequence }, index) => sequence === index + 1)
  return isNumbered ? [] : [{ law: 'L11', detail: `${stream} is not numbered 1, 2, 3 …` }]
}

/** L12: after healing everything has been delivered. */
function deliveryViolations(stream: Stream, events: readonly SequencedEvent[], observer: DeliveryObserver): readonly Violation[] {
  return events.flatMap(({ sequence, id }): readonly Violation[] => {
    const delivered = observer.delivered(stream, sequence)
    if (delivered === undefined) return [{ law: 'L12', detail: `${stream} #${sequence} was never delivered` }]
    return delivered.id === id ? [] : [{ law: 'L11', detail: `${stream} #${sequence} was delivered with another event` }]
  })
}

/** L13: first deliveries follow the sequence. */
function orderViolations(observer: DeliveryObserver): readonly Violation[] {
  const inOrder = (sequences: readonly Sequence[]): boolean => sequences.every((sequence, index) => sequence === index + 1)
  return [...observer.firstDeliveries()].flatMap(([stream, sequences]) =>
    inOrder(sequences) ? [] : [{ law: 'L13', detail: `first deliveries of ${stream}: ${sequences.join(' ')}` }],
  )
}
