import type { DeadLetterNotFound, DeadLetterSettled, EventNotApplicable, TooManyReplays, UnknownConsumer } from '@cbp/core'
import { deadLetterBody } from '@cbp/http/bodies'
import { exitCodes, type Failure } from './failure.ts'
import { plain } from './style.ts'

const { refused, conflict, notFound, unavailable } = exitCodes

/** What an error about an event means at the command line. */
export function eventFailure(
  error: DeadLetterNotFound | DeadLetterSettled | UnknownConsumer | TooManyReplays | EventNotApplicable,
): Failure {
  switch (error.kind) {
    case 'dead-letter-not-found':
      return {
        exitCode: notFound,
        code: error.kind,
        detail: `There is no dead letter ${plain(error.id)}.`,
        mend: 'List them with: cbp events dead',
      }
    case 'dead-letter-settled':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The dead letter was ${error.letter.state} before, by ${plain(error.letter.settled?.actor ?? 'somebody')}.`,
        members: { current: deadLetterBody(error.letter) },
      }
    case 'unknown-consumer':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `This version has no consumer named ${plain(error.consumer)}: the event cannot be applied here.`,
        mend: 'Discard it, with the reason, or replay it with the version that has that consumer.',
      }
    case 'too-many-replays':
      return {
        exitCode: unavailable,
        code: error.kind,
        detail: 'Dead letters are replayed at most ten a second.',
        mend: `Try again in ${error.retryAfterMs} ms, or let this command pace itself: cbp events replay --all`,
        members: { retryAfterMs: error.retryAfterMs },
      }
    case 'event-not-applicable':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `The event could still not be applied: ${plain(error.reason)}. It stays a dead letter.`,
      }
  }
}
