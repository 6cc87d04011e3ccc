import { type DeadLetter, type DeadLetterState, timestamp } from '@cbp/core'
import { deadLetterBody } from '@cbp/http/bodies'
import { err, ok, safeTry } from 'neverthrow'
import { readReason } from '../config/inputs.ts'
import { confirm } from '../confirm.ts'
import { actorOf } from '../identity/actor.ts'
import { readId, readOptionalId } from '../inputs.ts'
import type { Failure } from '../output/failure.ts'
import { pageAnswer } from '../output/page-answer.ts'
import { plain } from '../output/style.ts'
import { readPages } from '../paging.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { deadLetterFields } from './event-answers.ts'

export type DeadOptions = Readonly<{ consumer?: string; state: DeadLetterState; limit: number; before?: string; all?: boolean }>

const columns = [
  { title: 'id' },
  { title: 'consumer' },
  { title: 'event' },
  { title: 'stream' },
  { title: 'since' },
  { title: 'reason' },
] as const

export const listDeadLetters: Action<[], DeadOptions> = async (session, { consumer, state, limit, before, all = false }) => {
  const start = readOptionalId('--before', before)
  if (start.isErr()) return err(start.error)
  return usingCore(session, ({ core }) =>
    safeTry<Answer, Failure>(async function* () {
      const filter = { consumer: consumer ?? null, state }
      const request = { start: start.value, limit, all }
      const page = yield* await readPages(session, request, (position, count) => core.events.deadLetters(filter, position, count))
      const listing = { older: 'dead letters', none: 'There are no such dead letters.', body: deadLetterBody, columns, row: rowOf }
      return ok<Answer, Failure>(pageAnswer(session, page, listing))
    }),
  )
}

function rowOf({ id, consumer, event, deadAt, reason }: DeadLetter): readonly string[] {
  return [id, consumer, event.event.type, `${event.stream} #${event.sequence}`, timestamp(deadAt), reason]
}

export const discardDeadLetter: Action<[id: string], Readonly<{ reason: string }>> = async (session, { reason }, id) => {
  const inputs = readId('dead letter', id, 'cbp events dead').andThen((read) => readReason(reason).map((why) => ({ id: read, why })))
  if (inputs.isErr()) return err(inputs.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { caller } = yield* await actorOf(session, open)
      const letter = yield* settle(session, open.core.events.deadLetter(inputs.value.id))
      // Nothing to ask about where it is settled: core says so.
      if (letter.state === 'dead') {
        const { type } = letter.event.event
        yield* await confirm(session, `Give up ${type} of ${plain(letter.event.stream)} for ${plain(letter.consumer)}, for ever?`)
      }
      const discarded = yield* settle(session, open.core.events.discardDeadLetter(inputs.value.id, inputs.value.why, caller))
      return ok<Answer, Failure>({
        json: deadLetterBody(discarded),
        text: (style) => `${style.paint('green', '✔')} The dead letter is given up.\n${deadLetterFields(style, discarded)}`,
      })
    }),
  )
}
