import type { Dialect } from '../sql/engine.ts'

/** One writer at a time needs no lock hints. */
export const sqliteDialect: Dialect = {
  limit: (parameter) => `LIMIT ${parameter}`,
  rowAfter: (parameter) => `LIMIT 1 OFFSET ${parameter}`,
  list: (parameter) => `(SELECT key AS position, value AS item FROM json_each(${parameter}))`,
  rows(parameter, columns) {
    const fields = Object.keys(columns).map((name) => `value ->> '${name}' AS ${name}`)
    return `(SELECT ${fields.join(', ')} FROM json_each(${parameter}))`
  },
  forUpdate: '',
  forClaim: '',
}
