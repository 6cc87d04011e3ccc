import type { Dialect } from './engine.ts'
import { columnsOf, type RecordShape } from './record-kind.ts'

/**
 * A page of rows by id, descending. Each of `branches` is a condition whose index holds its rows by id already; several
 * exclude each other and are merged, so that one index on (owner, status, id) serves every status and any one of them.
 */
export function newestFirst(dialect: Dialect, kind: RecordShape, branches: readonly string[], conditions: readonly string[]): string {
  const selects = branches.map((branch) => {
    const all = [branch, ...conditions].filter((condition) => condition !== '')
    return `SELECT ${columnsOf(kind)} FROM ${kind.table}${all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`}`
  })
  return `${selects.join(' UNION ALL ')} ORDER BY id DESC ${dialect.limit('@limit')}`
}

/** A condition that must not tempt the engine into an index of its own, because another one finds fewer rows. */
export function residual(column: string, parameter: string): string {
  return `COALESCE(${column}, '') = ${parameter}`
}
