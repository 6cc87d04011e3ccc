import fc from 'fast-check'
import { timestamp } from '../../kernel/clock.ts'
import { anyInstant, anyJsonObject, anyTraceparent, anyUuid } from '../../kernel/testing/arbitraries.ts'
import type { DomainEvent, EventDraft, SequencedEvent, Severity, Stream } from '../event.ts'

export const anyStream: fc.Arbitrary<Stream> = fc
  .oneof(
    fc.constant('system'),
    fc.stringMatching(/^config-[a-z][a-z0-9-]{0,62}$/),
    fc.tuple(fc.constantFrom('payment', 'user'), anyUuid).map(([kind, id]) => `${kind}-${id}`),
  )
  .map((stream) => stream as Stream)

/** Streams that order differently by code unit and by locale. */
export const fewStreams: readonly Stream[] = ['system', 'config-a', 'config-a-b', 'config-ab', 'payment-0', 'payment-1'].map(
  (stream) => stream as Stream,
)

export const anyDomainEvent: fc.Arbitrary<DomainEvent> = fc
  .record({
    type: fc.constantFrom<DomainEvent['type']>('CONFIG_UPDATED', 'SYSTEM_ALERT'),
    details: anyJsonObject,
    severity: fc.constantFrom<Severity>('INFO', 'WARNING', 'ERROR'),
    instant: anyInstant,
  })
  .map(({ type, details, severity, instant }) => ({
    type,
    payload: { component: 'payments', details, severity, timestamp: timestamp(instant) },
  }))

export const anyEventDraft: fc.Arbitrary<EventDraft> = fc.record({
  id: anyUuid,
  stream: anyStream,
  event: anyDomainEvent,
  occurredAt: anyInstant,
  traceparent: fc.option(anyTraceparent),
})

export const anySequencedEvent: fc.Arbitrary<SequencedEvent> = fc
  .tuple(anyEventDraft, fc.integer({ min: 1, max: 1_000_000 }))
  .map(([draft, sequence]) => ({ ...draft, sequence }))
