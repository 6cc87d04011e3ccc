import fc from 'fast-check'
import { timestamp } from '../../kernel/clock.ts'
import { anyInstant, anyJsonObject, anyText, anyTraceparent, anyUuid } from '../../kernel/testing/arbitraries.ts'
import type { DomainEvent, EventDraft, PaymentEvent, SequencedEvent, Severity, Stream, SystemEvent, UserEvent } from '../event.ts'
import type { DeadLetter, DeadLetterState, InboxPosition } from '../ports/inbox.ts'

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

export const anySystemEvent: fc.Arbitrary<SystemEvent> = fc
  .record({
    type: fc.constantFrom<SystemEvent['type']>('CONFIG_UPDATED', 'SYSTEM_ALERT'),
    details: anyJsonObject,
    severity: fc.constantFrom<Severity>('INFO', 'WARNING', 'ERROR'),
    instant: anyInstant,
  })
  .map(({ type, details, severity, instant }) => ({
    type,
    payload: { component: 'payments', details, severity, timestamp: timestamp(instant) },
  }))

const anyPaymentEvent: fc.Arbitrary<PaymentEvent> = fc
  .record({
    type: fc.constantFrom<PaymentEvent['type']>('PAYMENT_CREATED', 'PAYMENT_UPDATED', 'PAYMENT_DELETED'),
    id: anyUuid,
    status: fc.constantFrom('PENDING', 'PROCESSING', 'COMPLETED', 'CANCELLED'),
    amount: fc.integer({ min: 1, max: 1_000_000_000_000 }),
    instant: anyInstant,
  })
  .map(({ type, id, status, amount, instant }) => ({ type, payload: { id, status, amount, timestamp: timestamp(instant) } }))

const anyUserEvent: fc.Arbitrary<UserEvent> = fc
  .record({
    type: fc.constantFrom<UserEvent['type']>('USER_UPDATED', 'PREFERENCES_UPDATED'),
    userId: fc.string({ minLength: 1, maxLength: 40 }),
    changes: anyJsonObject,
    instant: anyInstant,
  })
  .map(({ type, userId, changes, instant }) => ({ type, payload: { userId, changes, timestamp: timestamp(instant) } }))

export const anyDomainEvent: fc.Arbitrary<DomainEvent> = fc.oneof(anySystemEvent, anyPaymentEvent, anyUserEvent)

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

const anyConsumerName: fc.Arbitrary<string> = fc.constantFrom('webhooks', 'ledger', 'Ledger', 'ledger ')

export const anyInboxPosition: fc.Arbitrary<InboxPosition> = fc.record({
  consumer: anyConsumerName,
  stream: anyStream,
  sequence: fc.integer({ min: 0, max: 1_000_000 }),
  failures: fc.integer({ min: 0, max: 4 }),
})

const anySettledLetter = fc.record({
  state: fc.constantFrom<DeadLetterState>('replayed', 'discarded'),
  settled: fc.record({ at: anyInstant, actor: fc.constantFrom('cli:operator', 'https://issuer|operations'), reason: fc.option(anyText) }),
})

export const anyDeadLetter: fc.Arbitrary<DeadLetter> = fc
  .record({
    id: anyUuid,
    consumer: anyConsumerName,
    event: anySequencedEvent,
    reason: anyText,
    failures: fc.integer({ min: 1, max: 20 }),
    deadAt: anyInstant,
    end: fc.oneof(fc.constant({ state: 'dead' as const, settled: null }), anySettledLetter),
  })
  .map(({ end, ...letter }) => ({ ...letter, ...end }))
