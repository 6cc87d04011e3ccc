import { err, ok, type Result } from 'neverthrow'
import { exitCodes, type Failure } from '../output/failure.ts'
import { plain } from '../output/style.ts'
import type { Session } from '../session.ts'

/** What a step has to tell, and what the following ones need of it. */
export type Told<T> = Readonly<{ told: string; value: T }>

export type StepRecord = Readonly<{
  number: number
  name: string
  status: 'passed' | 'failed'
  ms: number
  /** What happened. */
  detail: string
  /** What to look at; of a failed step only. */
  check?: string
}>

/** Steps are told as they end; with `--json` all together in the end. */
export type Narration = Readonly<{
  steps: readonly StepRecord[]
  step: <T>(name: string, work: () => Promise<Result<Told<T>, Failure>>) => Promise<Result<T, Failure>>
}>

export function openNarration(session: Session): Narration {
  const steps: StepRecord[] = []
  return {
    steps,
    step: async (name, work) => {
      const startedAt = performance.now()
      const done = await work()
      const passing = { number: steps.length + 1, name, ms: Math.round(performance.now() - startedAt) }
      const record: StepRecord = done.match<StepRecord>(
        ({ told }) => ({ ...passing, status: 'passed', detail: told }),
        ({ detail, mend }) => ({ ...passing, status: 'failed', detail, ...(mend === undefined ? {} : { check: mend }) }),
      )
      steps.push(record)
      await tell(session, record)
      return done.map(({ value }) => value)
    },
  }
}

async function tell({ json, outStyle, print }: Session, { number, name, status, ms, detail }: StepRecord): Promise<void> {
  if (json) return
  const mark = status === 'passed' ? outStyle.paint('green', '✔') : outStyle.paint('red', '✘')
  const head = `${String(number).padStart(2)} ${mark} ${name} ${outStyle.paint('dim', `${ms} ms`)}`
  await print(`${head}\n${status === 'passed' ? `     ${plain(detail)}\n` : ''}`)
}

export function told<T>(text: string, value: T): Result<Told<T>, Failure> {
  return ok({ told: text, value })
}

/** A step that did not go as it should; `check` says where to look. */
export function stepFailed(code: string, detail: string, check: string): Result<never, Failure> {
  return err({ exitCode: exitCodes.refused, code, detail, mend: check })
}
