import { columnsOf, type RecordShape } from './record-kind.ts'

export type RecordStatements = Readonly<{
  /** All columns of the row under a key. */
  find: string
  isTaken: string
  /** One row; parameters in the order of the columns. */
  insert: string
  /** Sets the named columns of the row under a key; parameters in this order, the key last. */
  update: (columns: readonly string[]) => string
  drop: string
}>

export function recordStatements(kind: RecordShape): RecordStatements {
  const names = Object.keys(kind.columns)
  const underKey = `WHERE ${names.slice(0, kind.key.length).map(equals).join(' AND ')}`
  const parameters = names.map((name) => `@${name}`).join(', ')
  return {
    find: `SELECT ${columnsOf(kind)} FROM ${kind.table} ${underKey}`,
    isTaken: `SELECT 1 AS taken FROM ${kind.table} ${underKey}`,
    insert: `INSERT INTO ${kind.table} (${columnsOf(kind)}) VALUES (${parameters})`,
    update: (columns) => `UPDATE ${kind.table} SET ${columns.map(equals).join(', ')} ${underKey}`,
    drop: `DELETE FROM ${kind.table} ${underKey}`,
  }
}

function equals(name: string): string {
  return `[${name}] = @${name}`
}
