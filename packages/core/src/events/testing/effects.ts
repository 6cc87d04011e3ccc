import { okAsync } from 'neverthrow'
import type { IdSource } from '../../kernel/ids.ts'
import type { FakePorts } from '../../testing/fake-ports.ts'
import type { ApplyEvent } from '../apply-event.ts'
import type { EventDraft, SequencedEvent, Stream, SystemEvent } from '../event.ts'
import type { Delivery } from '../ports/event-broker.ts'

/** What a consumer under test has done, kept in the store: one effect for each unit that took effect, in that order. */
export type Effect = Readonly<{ sequence: number; replayed: boolean }>

const effectsOf = (stream: Stream): Stream => `effects-${stream}` as Stream

function plainDraft(ids: IdSource, stream: Stream, details: Readonly<Record<string, number | boolean>> = {}): EventDraft {
  const payload = { component: 'payments', details, severity: 'INFO', timestamp: '2026-01-01T00:00:00.000Z' } as const
  return { id: ids.next(), stream, event: { type: 'SYSTEM_ALERT', payload }, occurredAt: 0, traceparent: null }
}

/** Commits events 1 to `count` of a stream, and answers them as the outbox holds them. */
export async function committed({ transactions, outbox, ids }: FakePorts, stream: Stream, count: number): Promise<readonly Delivery[]> {
  const outcome = await transactions.attempt(ids.next(), (tx) => {
    for (let index = 0; index < count; index += 1) tx.outbox.append(plainDraft(ids, stream))
    return okAsync(null)
  })
  outcome._unsafeUnwrap()
  const events = (await outbox.pending([{ stream, after: 0 }], count))._unsafeUnwrap()
  return events.map((event: SequencedEvent): Delivery => ({ ...event, replayed: false }))
}

/** Applies an event by leaving an effect, which is seen only when the unit commits. */
export function leavingEffects(ids: IdSource): ApplyEvent {
  return (tx, { stream, sequence, replayed }) => {
    tx.outbox.append(plainDraft(ids, effectsOf(stream), { sequence, replayed }))
    return okAsync(undefined)
  }
}

export async function effects({ outbox }: FakePorts, stream: Stream): Promise<readonly Effect[]> {
  const left = (await outbox.pending([{ stream: effectsOf(stream), after: 0 }], 10_000))._unsafeUnwrap()
  return left.map(({ event }) => (event as SystemEvent).payload.details as unknown as Effect)
}
