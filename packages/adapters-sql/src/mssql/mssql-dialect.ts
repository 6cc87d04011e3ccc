import type { ColumnType, Dialect } from '../sql/engine.ts'

/** Keys are compared code unit by code unit. */
export const binaryCollation = 'COLLATE Latin1_General_100_BIN2'

/** The longest text that stands in an index. */
const keyType = 'nvarchar(400)'

const typeNames: Readonly<Record<ColumnType, string>> = { key: keyType, text: 'nvarchar(max)', integer: 'bigint' }

export const mssqlDialect: Dialect = {
  limit: (parameter) => `OFFSET 0 ROWS FETCH NEXT ${parameter} ROWS ONLY`,
  rowAfter: (parameter) => `OFFSET ${parameter} ROWS FETCH NEXT 1 ROWS ONLY`,
  list: (parameter) =>
    `(SELECT CAST([key] AS int) AS position, CAST([value] AS ${keyType}) ${binaryCollation} AS item FROM OPENJSON(${parameter}))`,
  rows(parameter, columns) {
    const fields = Object.entries(columns).map(([name, type]) =>
      type === 'integer' ? `[${name}]` : `[${name}] ${binaryCollation} AS [${name}]`,
    )
    return `(SELECT ${fields.join(', ')} FROM ${openJson(
      parameter,
      Object.entries(columns).map(([name, type]) => [name, typeNames[type]]),
    )})`
  },
  // Rows that somebody holds are not waited for: another instance is dropping them, or a request writes them over.
  dropSome: (table, condition) =>
    `DECLARE @dropped bigint; DELETE TOP (@limit) FROM ${table} WITH (ROWLOCK, READPAST) WHERE ${condition};
      SET @dropped = @@ROWCOUNT; SELECT @dropped AS dropped`,
  forUpdate: 'WITH (UPDLOCK, ROWLOCK, READCOMMITTEDLOCK)',
  forClaim: 'WITH (UPDLOCK, ROWLOCK, READPAST, READCOMMITTEDLOCK)',
}

/** A JSON array of objects as a table. */
export function openJson(parameter: string, columns: readonly (readonly [name: string, type: string])[]): string {
  return `OPENJSON(${parameter}) WITH (${columns.map(([name, type]) => `[${name}] ${type} '$.${name}'`).join(', ')})`
}
