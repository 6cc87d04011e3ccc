import type { Dialect } from '../sql/engine.ts'

/** From SQLite 3.51 on each row is read into binary form once; before, it is parsed again for every column. */
const eachRow: string = atLeast(process.versions['sqlite'] ?? '0', 3, 51) ? 'jsonb_each' : 'json_each'

/** One writer at a time needs no lock hints. */
export const sqliteDialect: Dialect = {
  limit: (parameter) => `LIMIT ${parameter}`,
  rowAfter: (parameter) => `LIMIT 1 OFFSET ${parameter}`,
  list: (parameter) => `(SELECT key AS position, value AS item FROM json_each(${parameter}))`,
  rows(parameter, columns) {
    const fields = Object.keys(columns).map((name) => `value ->> '${name}' AS ${name}`)
    return `(SELECT ${fields.join(', ')} FROM ${eachRow}(${parameter}))`
  },
  dropSome: null,
  forUpdate: '',
  forClaim: '',
}

function atLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}
