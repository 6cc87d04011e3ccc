import { ok, type Result } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import { failureOf } from '../output/core-failures.ts'
import { exitCodes, type Failure } from '../output/failure.ts'
import { renderTable } from '../output/table.ts'
import type { Action, Answer } from '../session.ts'
import { usingCore } from '../settle.ts'
import { type Census, takeCensus } from './census.ts'

type Row = Readonly<{ id: string; state: 'current' | 'next' | 'older' | 'missing'; secrets: number }>

export const keyRingStatus: Action<[], object> = async (session) =>
  usingCore(session, async (open): Promise<Result<Answer, Failure>> => {
    const census = await takeCensus(open)
    return census.mapErr(failureOf).andThen((taken) => ok(answerOf(rowsOf(open, taken))))
  })

function rowsOf({ keyRing }: OpenCore, { byKey }: Census): readonly Row[] {
  const next = keyRing.file?.next().unwrapOr(null) ?? null
  return [...byKey].map(([id, secrets]) => ({ id, secrets, state: stateOf(id, keyRing.keyIds, next) }))
}

function stateOf(id: string, [current, ...others]: readonly string[], next: string | null): Row['state'] {
  if (id === current) return 'current'
  if (id === next) return 'next'
  return others.includes(id) ? 'older' : 'missing'
}

function answerOf(rows: readonly Row[]): Answer {
  const columns = [{ title: 'key' }, { title: 'state' }, { title: 'secrets', align: 'right' }] as const
  return {
    json: { keys: rows },
    text: (style) =>
      renderTable(
        style,
        columns,
        rows.map(({ id, state, secrets }) => [id === '' ? '(none)' : id, state, String(secrets)]),
      ),
    exitCode: rows.some(({ state }) => state === 'missing') ? exitCodes.refused : exitCodes.done,
  }
}
