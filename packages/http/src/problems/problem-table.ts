import type { Problem } from './problem.ts'

/** A problem for each kind of error: a kind that is missing does not compile. */
export type ProblemTable<Failure extends Readonly<{ kind: string }>> = {
  readonly [Kind in Failure['kind']]: (error: Extract<Failure, Readonly<{ kind: Kind }>>, cursorPointer: string) => Problem
}

/** Retry-After in whole seconds, never too early. */
export function retryAfter(ms: number): Readonly<Record<string, string>> {
  return { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) }
}
