import { describe, expect, it } from 'vitest'
import { type RowSources, rowSources, type SourceColumn } from './row-sources.ts'

const columns: readonly SourceColumn[] = [
  ['name', 'nvarchar(400)'],
  ['count', 'bigint'],
]

function withRows(count: number): Readonly<{ text: string; sources: RowSources }> {
  const sources = rowSources()
  const text = sources.add(
    columns,
    Array.from({ length: count }, (_, index) => [`name ${index} `, index]),
  )('j')
  return { text, sources }
}

describe('rows that a batch brings along', () => {
  it('are parameters while they are few, integers with a type even without a value', () => {
    const sources = rowSources()
    const text = sources.add(columns, [['a', null]])('j')
    expect(text).toBe('(VALUES (@p0, CAST(@p1 AS bigint))) j ([name], [count])')
    expect(sources.parameters()).toEqual({ p0: 'a', p1: null })
  })

  it('are JSON when they are many, with text as it is stored', () => {
    const { text, sources } = withRows(500)
    expect(text).toContain('OPENJSON(@j0) WITH (')
    expect(JSON.parse(String(sources.parameters()['j0']))).toHaveLength(500)
    expect(JSON.parse(String(sources.parameters()['j0']))[1]).toEqual({ name: 'name 1 \u0001', count: 1 })
  })

  it('never take more parameters than a request may have', () => {
    const sources = rowSources()
    for (let source = 0; source < 50; source += 1) {
      sources.add(
        columns,
        Array.from({ length: 50 }, () => ['x', 1]),
      )
    }
    expect(Object.keys(sources.parameters()).length).toBeLessThan(2000)
  })
})
