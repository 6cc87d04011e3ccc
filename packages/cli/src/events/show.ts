import type { Stream } from '@cbp/core'
import { deadLetterBody, streamBody } from '@cbp/http/bodies'
import { ok, safeTry } from 'neverthrow'
import { readId } from '../inputs.ts'
import type { Failure } from '../output/failure.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { deadLetterText, existingStream, streamFields } from './event-answers.ts'

export const showEvents: Action<[name: string], unknown> = (session, _options, name) =>
  usingCore(session, ({ core }) =>
    safeTry<Answer, Failure>(async function* () {
      // The name of a stream begins with what it is a stream of, so that no id is one.
      const id = readId('dead letter', name, 'cbp events dead')
      if (id.isErr()) {
        const state = yield* existingStream(name, yield* settle(session, core.events.stream(name as Stream)))
        return ok<Answer, Failure>({ json: streamBody(state), text: (style) => streamFields(style, state) })
      }
      const letter = yield* settle(session, core.events.deadLetter(id.value))
      return ok<Answer, Failure>({ json: deadLetterBody(letter), text: (style) => deadLetterText(style, letter) })
    }),
  )
