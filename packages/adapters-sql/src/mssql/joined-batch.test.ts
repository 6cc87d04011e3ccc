import { describe, expect, it } from 'vitest'
import { joinedBatch, rowsOfEach } from './joined-batch.ts'

const find = { sql: 'SELECT a FROM t WHERE a = @a AND @@ROWCOUNT = 0', parameters: { a: 1 } }
const found = { sql: 'DECLARE @x bigint; SELECT @x = a FROM t WHERE b = @b; SELECT b FROM t WHERE a = @x', parameters: { b: 'y' } }
const write = { sql: 'UPDATE t SET a = @a', parameters: { a: 2 } }

describe('several statements in one request', () => {
  it('keep parameters and variables of their own', () => {
    const { sql, parameters } = joinedBatch([find, found, write], 'BEGIN', 'COMMIT')
    expect(parameters).toEqual({ a_0: 1, b_1: 'y', a_2: 2 })
    expect(sql.split('\n')).toEqual([
      'BEGIN',
      'SELECT a FROM t WHERE a = @a_0 AND @@ROWCOUNT = 0;',
      'DECLARE @x_1 bigint; SELECT @x_1 = a FROM t WHERE b = @b_1; SELECT b FROM t WHERE a = @x_1;',
      'UPDATE t SET a = @a_2;',
      'COMMIT',
    ])
  })

  it('are answered one by one, writes with no rows', () => {
    expect(rowsOfEach([find, write, found], [[{ a: 1 }], [{ b: 'y' }]])).toEqual([[{ a: 1 }], [], [{ b: 'y' }]])
  })
})
