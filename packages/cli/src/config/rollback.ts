import { err, ok, safeTry } from 'neverthrow'
import { writeText } from '../cli-io.ts'
import { canAsk, confirm } from '../confirm.ts'
import type { Failure } from '../output/failure.ts'
import { unifiedDiff } from '../output/json-text.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { prepareWrite, readTarget, type WriteOptions, writtenAnswer } from './conditional-write.ts'
import { sideOf } from './diff.ts'

export type RollbackOptions = WriteOptions & Readonly<{ to: number }>

export const rollBackSetting: Action<[component: string, key: string], RollbackOptions> = async (session, options, component, key) => {
  const target = readTarget(component, key, options)
  if (target.isErr()) return err(target.error)
  const { at } = target.value
  const { to } = options
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { write, before } = yield* await prepareWrite(session, open, target.value, options)
      const isShown = canAsk(session)
      if (isShown) {
        const restored = yield* settle(session, open.core.config.version(at, to))
        await writeText(session.io.stderr, unifiedDiff(session.errStyle, sideOf(at, before), sideOf(at, restored)))
      }
      yield* await confirm(session, `Return ${at.component}/${at.key} at ${at.scope} to version ${to}?`)
      const made = yield* settle(session, open.core.config.rollback({ ...write, toVersion: to }))
      return ok(writtenAnswer(at, made, before, isShown))
    }),
  )
}
