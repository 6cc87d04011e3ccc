import type { DeadLetterFilter } from '@cbp/core'
import type { Dialect } from '../sql/engine.ts'
import { newestFirst } from '../sql/newest-first.ts'
import { recordStatements } from '../sql/record-statements.ts'
import { deadLetterKind, deadLetterStates } from './inbox-kinds.ts'

/** Which parts of a filter are given. */
export type DeadLetterListing = Readonly<Record<keyof DeadLetterFilter | 'before', boolean>>

export type DeadLetterStatements = Readonly<{
  deadLetter: string
  deadLetters: (given: DeadLetterListing) => string
  deadCount: string
}>

export function deadLetterStatements(dialect: Dialect): DeadLetterStatements {
  return {
    deadLetter: recordStatements(deadLetterKind).find,
    deadLetters: (given) => newestFirst(dialect, deadLetterKind, branchesOf(given), given.before ? ['id < @before'] : []),
    deadCount: `SELECT COUNT(*) AS letters FROM dead_letters WHERE state = 'dead'`,
  }
}

function branchesOf({ consumer, state }: DeadLetterListing): readonly string[] {
  if (!consumer) return [state ? 'state = @state' : '']
  return state ? ['consumer = @consumer AND state = @state'] : deadLetterStates.map((each) => `consumer = @consumer AND state = '${each}'`)
}
