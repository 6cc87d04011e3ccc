import { err, ok, safeTry } from 'neverthrow'
import type { Failure } from '../output/failure.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { prepareWrite, readTarget, type WriteOptions, writtenAnswer } from './conditional-write.ts'
import { readValue, type ValueOptions } from './value-source.ts'

export type SetOptions = WriteOptions & ValueOptions

export const setSetting: Action<[component: string, key: string, value: string | undefined], SetOptions> = async (
  session,
  options,
  component,
  key,
  argument,
) => {
  const target = readTarget(component, key, options)
  if (target.isErr()) return err(target.error)
  const value = await readValue(session, argument, options)
  if (value.isErr()) return err(value.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { write, before } = yield* await prepareWrite(session, open, target.value, options)
      const made = yield* settle(session, open.core.config.put({ ...write, value: value.value }))
      return ok(writtenAnswer(target.value.at, made, before))
    }),
  )
}
