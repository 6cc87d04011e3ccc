import { type DeadLetter, type StreamState, timestamp } from '@cbp/core'

type Body = Readonly<Record<string, unknown>>

/** The wire form of a dead letter; the command line prints the same. */
export function deadLetterBody({ id, consumer, event, reason, failures, deadAt, state, settled }: DeadLetter): Body {
  return {
    id,
    consumer,
    event: {
      id: event.id,
      stream: event.stream,
      sequence: event.sequence,
      occurredAt: timestamp(event.occurredAt),
      type: event.event.type,
      payload: event.event.payload,
    },
    reason,
    failures,
    deadAt: timestamp(deadAt),
    state,
    settled: settled === null ? null : { at: timestamp(settled.at), actor: settled.actor, reason: settled.reason },
  }
}

/** The wire form of the state of a stream; `id` is its name. */
export function streamBody({ stream, last, confirmed, refusals, blocked }: StreamState): Body {
  return {
    id: stream,
    last,
    confirmed,
    backlog: last - confirmed,
    refusals,
    blocked: blocked === null ? null : { sequence: blocked.sequence, reason: blocked.reason, since: timestamp(blocked.since) },
  }
}
