import { configStream } from '../../config/configuration-updated.ts'
import type { DeadLetter, DomainEvent, Sequence, SequencedEvent, Stream } from '../../events/index.ts'
import { canonicalJson } from '../../kernel/json.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'
import type { Violation } from './history.ts'
import type { DeliveryObserver } from './observed.ts'
import { expectedEvents, type Ledger } from './payment-laws.ts'
import { sure, type Truth } from './truth.ts'
import { notesOf, witnessName } from './witness.ts'

const everything = 1_000_000

/** All events of each stream, in order. */
export type Streams = ReadonlyMap<Stream, readonly SequencedEvent[]>

export async function readStreams({ outbox }: StorePorts): Promise<Streams> {
  const states = sure(await outbox.streams({ blocked: null }, null, everything))
  const streams = new Map<Stream, readonly SequencedEvent[]>()
  for (const { stream } of states) streams.set(stream, sure(await outbox.pending([{ stream, after: 0 }], everything)))
  return streams
}

/** What committed held against outbox rows, and those against what was delivered. */
export async function eventViolations(
  truth: Truth,
  ledger: Ledger,
  streams: Streams,
  { outbox }: StorePorts,
  observer: DeliveryObserver,
): Promise<readonly Violation[]> {
  const found: Violation[] = [...orderViolations(observer)]
  const expected = new Map<Stream, readonly string[]>([...configRows(truth), ...paymentRows(ledger)])
  for (const [stream, rows] of expected) found.push(...rowViolations(stream, rows, streams.get(stream) ?? []))
  for (const [stream, events] of streams) {
    if (stream !== 'system' && !expected.has(stream)) found.push({ law: 'L11', detail: `${stream} tells of nothing that has happened` })
    found.push(...deliveryViolations(stream, events, observer))
  }
  const { events, blockedStreams } = sure(await outbox.backlog())
  if (events > 0) found.push({ law: 'L12', detail: `${events} events are still pending, ${blockedStreams} streams blocked` })
  return found
}

/** One row for each unit and component, in the order of the revisions. */
function configRows({ units }: Truth): ReadonlyMap<Stream, readonly string[]> {
  const changed = units.flatMap((unit) =>
    [...new Set(unit.changes.map(({ component }) => component))].map((component) => ({ component, unit })),
  )
  const rows = Map.groupBy(changed, ({ component }) => configStream(component))
  return new Map(
    Array.from(rows, ([stream, each]) => [
      stream,
      each.map(({ component, unit }) =>
        canonicalJson(
          unit.changes
            .filter((change) => change.component === component)
            .map(({ key, scope, version, op }) => ({ key, scope, version, op })),
        ),
      ),
    ]),
  )
}

/** One row for each change that a client can see. */
function paymentRows(ledger: Ledger): ReadonlyMap<Stream, readonly string[]> {
  return new Map(Array.from(ledger, ([id, line]) => [`payment-${id}` as Stream, expectedEvents(line)]))
}

function rowOf({ type, payload }: DomainEvent): string {
  if ('details' in payload) return canonicalJson(payload.details['changes'] ?? null)
  return 'status' in payload ? `${type} ${payload.status} ${payload.timestamp}` : type
}

/** L11: exactly the rows that what committed calls for. */
function rowViolations(stream: Stream, expected: readonly string[], events: readonly SequencedEvent[]): readonly Violation[] {
  const rows = events.map(({ event }) => rowOf(event))
  if (rows.join() !== expected.join())
    return [{ law: 'L11', detail: `${stream} has ${rows.length} rows for ${expected.length} changes, or others` }]
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

/** L15: the notes of the witness tell each event once and in order; those set aside come later, or never. */
export async function witnessViolations(streams: Streams, { paymentStore, deadLetterStore }: StorePorts): Promise<readonly Violation[]> {
  const letters = sure(await deadLetterStore.deadLetters({ consumer: witnessName, state: null }, null, everything))
  const found: Violation[] = []
  for (const [stream, events] of streams) {
    const notes = sure(await paymentStore.history(notesOf(stream), 0, everything))
    const own = letters.filter(({ event }) => event.stream === stream)
    const setAside = new Set(own.map(({ event }) => event.sequence))
    const first = notes.filter(({ detail }) => detail === null).map(({ version }) => version)
    const later = notes.filter(({ detail }) => detail !== null).map(({ version }) => version)
    const expected = events.map(({ sequence }) => sequence).filter((sequence) => !setAside.has(sequence))
    if (first.join() !== expected.join())
      found.push({ law: 'L15', detail: `${stream} was applied as ${first.join(' ')} instead of ${expected.join(' ')}` })
    const replayed = own.filter(({ state }: DeadLetter) => state === 'replayed').map(({ event }) => event.sequence)
    if (later.toSorted(byNumber).join() !== replayed.toSorted(byNumber).join())
      found.push({ law: 'L15', detail: `of ${stream} ${later.join(' ')} were replayed instead of ${replayed.join(' ')}` })
    if (own.length !== setAside.size) found.push({ law: 'L15', detail: `an event of ${stream} was set aside twice` })
    const isForeign = notes.some(({ version, actor }) => events[version - 1]?.id !== actor)
    if (isForeign) found.push({ law: 'L15', detail: `an event was applied that ${stream} does not hold` })
  }
  return found
}

function byNumber(left: number, right: number): number {
  return left - right
}
