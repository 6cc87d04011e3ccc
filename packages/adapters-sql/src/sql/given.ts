import type { SqlParameters } from './engine.ts'

/** The parameters of a filter that are not `null`. */
export function given(parameters: SqlParameters): SqlParameters {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null))
}
