export type { AlertOnce, SteppedAlert } from './alert-once.ts'
export type { ApplyEvent, ConsumerDefinition, EventNotApplicable } from './apply-event.ts'
export type { ConsumerCounts } from './consumer.ts'
export type { DeadLetterNotFound, DeadLetterSettled, ReplayError, TooManyReplays, UnknownConsumer } from './dead-letters.ts'
export type {
  DomainEvent,
  EventDraft,
  EventType,
  PaymentEvent,
  Sequence,
  SequencedEvent,
  Severity,
  Stream,
  SystemEvent,
  UserEvent,
} from './event.ts'
export { routingKey, wireBody } from './event.ts'
export type { EventsDependencies, EventsService } from './events-service.ts'
export { eventsService } from './events-service.ts'
export type { BrokerUnavailable, Delivery, EventBroker, EventConsumer, EventRefused } from './ports/event-broker.ts'
export type { DeadLetter, DeadLetterFilter, DeadLetterState, DeadLetterStore, InboxPosition, InboxRecords } from './ports/inbox.ts'
export type {
  Backlog,
  LeasedStream,
  Outbox,
  OutboxTransaction,
  RelayReport,
  StreamBlock,
  StreamLease,
  StreamState,
} from './ports/outbox.ts'
export type { Relay, RelayCounts, RelayLimits } from './relay.ts'
export type { EventSchemas, WireEvent } from './wire.ts'
export { eventSchemas, eventTypes } from './wire.ts'
