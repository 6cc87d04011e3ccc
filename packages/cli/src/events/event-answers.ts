import { type DeadLetter, type StreamState, timestamp } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { exitCodes, type Failure } from '../output/failure.ts'
import { renderFields } from '../output/fields.ts'
import { prettyJson } from '../output/json-text.ts'
import { plain, type Style } from '../output/style.ts'

export function existingStream(name: string, state: StreamState | null): Result<StreamState, Failure> {
  if (state !== null) return ok(state)
  return err({
    exitCode: exitCodes.notFound,
    code: 'stream-not-found',
    detail: `There is no stream ${plain(name)}.`,
    mend: 'List them with: cbp events streams',
  })
}

export function streamFields(style: Style, { stream, last, confirmed, refusals, blocked }: StreamState): string {
  return renderFields(style, [
    ['stream', stream],
    ['events', String(last)],
    ['confirmed', String(confirmed)],
    ['waiting', String(last - confirmed)],
    ['refusals', refusals === 0 ? null : String(refusals)],
    ['blocked', blocked === null ? null : `at #${blocked.sequence} since ${timestamp(blocked.since)}: ${blocked.reason}`],
  ])
}

/** A dead letter with what it carries. */
export function deadLetterText(style: Style, letter: DeadLetter): string {
  return `${deadLetterFields(style, letter)}${style.paint('dim', 'payload')}\n${prettyJson(letter.event.event.payload)}\n`
}

export function deadLetterFields(style: Style, { id, consumer, event, reason, failures, deadAt, state, settled }: DeadLetter): string {
  return renderFields(style, [
    ['id', id],
    ['state', state],
    ['consumer', consumer],
    ['event', `${event.event.type}, ${event.stream} #${event.sequence}, ${event.id}`],
    ['reason', reason],
    ['tries', String(failures)],
    ['dead since', timestamp(deadAt)],
    [state, settled === null ? null : `${timestamp(settled.at)} by ${settled.actor}`],
    ['because', settled?.reason ?? null],
  ])
}
