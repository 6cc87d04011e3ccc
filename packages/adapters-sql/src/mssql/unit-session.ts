import type { Rows, Statement } from '../sql/engine.ts'
import type { Batch, ResultSets, Session } from './driver.ts'
import { joinedBatch, rowsOfEach } from './joined-batch.ts'
import type { ServerTraits } from './server-traits.ts'

/** The transaction of one unit. It begins with the first request, and the last one commits. */
export type UnitSession = Readonly<{
  /** Rows of the statements. What is asked for before an earlier question is answered goes along with the next one. */
  ask(statements: readonly Statement[]): Promise<readonly Rows[]>
  /** Sends the flush, which ends the transaction. */
  flush(batch: Batch): Promise<ResultSets>
  isFlushed(): boolean
  end(): Promise<void>
}>

type Question = Readonly<{
  statements: readonly Statement[]
  answer(rows: readonly Rows[]): void
  fail(error: unknown): void
}>

export function unitSession(session: Session, { options, begin }: ServerTraits): UnitSession {
  let isBegun = false
  let isFlushed = false
  let isAsking = false
  let waiting: Question[] = []

  function opening(): string {
    const text = isBegun ? options : `${options} ${begin}`
    isBegun = true
    return text
  }

  async function askAll(): Promise<void> {
    isAsking = true
    while (waiting.length > 0) {
      const questions = waiting
      waiting = []
      const statements = questions.flatMap((question) => question.statements)
      try {
        const rows = rowsOfEach(statements, await session.run({ ...joinedBatch(statements, opening()), transaction: 'begins' }))
        let next = 0
        for (const { statements: asked, answer } of questions) {
          answer(rows.slice(next, next + asked.length))
          next += asked.length
        }
      } catch (error) {
        for (const { fail } of questions) fail(error)
      }
    }
    isAsking = false
  }

  return {
    ask: (statements) =>
      new Promise((answer, fail) => {
        waiting.push({ statements, answer, fail })
        // After whatever this turn asks besides.
        if (!isAsking && waiting.length === 1) queueMicrotask(() => void askAll())
      }),
    flush({ sql, parameters }) {
      isFlushed = true
      return session.run({ sql: `${opening()}\n${sql}`, parameters, transaction: 'ends' })
    },
    isFlushed: () => isFlushed,
    end: () => session.end(),
  }
}
