import type { DeadLetterNotFound, DeadLetterSettled, EventNotApplicable, JsonValue, TooManyReplays, UnknownConsumer } from '@cbp/core'
import { deadLetterBody } from '../events/bodies.ts'
import { problem } from './problem.ts'
import { type ProblemTable, retryAfter } from './problem-table.ts'

export type EventFailure = DeadLetterNotFound | DeadLetterSettled | EventNotApplicable | TooManyReplays | UnknownConsumer

export const eventProblems: ProblemTable<EventFailure> = {
  'dead-letter-not-found': ({ id }) => problem('dead-letter-not-found', `There is no dead letter ${id}.`),
  'dead-letter-settled': ({ letter }) =>
    problem('dead-letter-settled', `The dead letter was ${letter.state} by ${letter.settled?.actor ?? 'someone'}.`, {
      members: { current: deadLetterBody(letter) as JsonValue },
    }),
  'unknown-consumer': ({ consumer }) => problem('unknown-consumer', `The consumer ${consumer} does not run here.`),
  'event-not-applicable': ({ reason }) => problem('event-not-applicable', `The consumer cannot apply the event: ${reason}`),
  'too-many-replays': ({ retryAfterMs }) =>
    problem('too-many-replays', 'At most ten dead letters a second are replayed.', { headers: retryAfter(retryAfterMs) }),
}
