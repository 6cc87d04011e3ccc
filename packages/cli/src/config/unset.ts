import { err, ok, safeTry } from 'neverthrow'
import { confirm } from '../confirm.ts'
import type { Failure } from '../output/failure.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { prepareWrite, readTarget, type WriteOptions, writtenAnswer } from './conditional-write.ts'

export const unsetSetting: Action<[component: string, key: string], WriteOptions> = async (session, options, component, key) => {
  const target = readTarget(component, key, options)
  if (target.isErr()) return err(target.error)
  const { at } = target.value
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { write, before } = yield* await prepareWrite(session, open, target.value, options)
      // Nothing to ask about where nothing is set: core says so.
      if (before !== null) yield* await confirm(session, `Remove version ${before.version} of ${at.component}/${at.key} at ${at.scope}?`)
      const made = yield* settle(session, open.core.config.unset(write))
      return ok(writtenAnswer(at, made, before))
    }),
  )
}
