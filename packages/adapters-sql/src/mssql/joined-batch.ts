import type { Rows, SqlValue, Statement } from '../sql/engine.ts'
import type { Batch, ResultSets } from './driver.ts'

/** Several statements as one batch, each with parameters and variables of its own. */
export function joinedBatch(statements: readonly Statement[], before = '', after = ''): Pick<Batch, 'sql' | 'parameters'> {
  const parameters: Record<string, SqlValue> = {}
  const texts = statements.map((statement, index) => {
    for (const [name, value] of Object.entries(statement.parameters)) parameters[`${name}_${index}`] = value
    return `${numbered(statement.sql, index)};`
  })
  return { sql: [before, ...texts, after].filter((text) => text !== '').join('\n'), parameters }
}

/** The rows of each statement, none for one that answers no rows. */
export function rowsOfEach(statements: readonly Statement[], results: ResultSets): readonly Rows[] {
  let next = 0
  return statements.map(({ sql }) => {
    if (!isQuery(sql)) return []
    const rows = results[next] ?? []
    next += 1
    return rows
  })
}

const rememberedLimit = 2_000
const numberedTexts = new Map<string, string[]>()

/** Names with a number behind them; `@@ROWCOUNT` and its like stay as they are. */
function numbered(sql: string, index: number): string {
  let texts = numberedTexts.get(sql)
  if (texts === undefined) {
    if (numberedTexts.size >= rememberedLimit) numberedTexts.clear()
    texts = []
    numberedTexts.set(sql, texts)
  }
  texts[index] ??= sql.replaceAll(/(?<![@\w])@(\w+)/g, `@$1_${index}`)
  return texts[index]
}

const queries = new Map<string, boolean>()

/** Whether it answers rows: variables may be declared and set before. */
function isQuery(sql: string): boolean {
  let known = queries.get(sql)
  if (known === undefined) {
    if (queries.size >= rememberedLimit) queries.clear()
    known = /^\s*(DECLARE\s|SELECT\s(?!@))/.test(sql)
    queries.set(sql, known)
  }
  return known
}
