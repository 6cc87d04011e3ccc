import {
  type ConfigNotFound,
  type CursorGone,
  type EntryNotFound,
  formatCursor,
  type InvalidCursor,
  type InvalidValue,
  type JsonValue,
  type ResolvedEtagUsed,
  type RevisionBeyondHead,
  type StaleVersion,
  type StoreUnavailable,
  type UnknownVersion,
  type VersionNotFound,
} from '@cbp/core'
import { entryBody } from '../config/bodies.ts'
import { faulty, type Problem, problem } from './problem.ts'

/** Every error that a use case may answer. */
export type CoreError =
  | ConfigNotFound
  | CursorGone
  | EntryNotFound
  | InvalidCursor
  | InvalidValue
  | ResolvedEtagUsed
  | RevisionBeyondHead
  | StaleVersion
  | StoreUnavailable
  | UnknownVersion
  | VersionNotFound

/** Exhaustive: an error kind without a problem does not compile. `cursorPointer` says where the cursor came from. */
export function problemOf(error: CoreError, cursorPointer = '#/query/since'): Problem {
  switch (error.kind) {
    case 'config-not-found':
      return problem('config-not-found', `${error.component}/${error.key} has no value at ${error.scope} or above it.`)
    case 'entry-not-found':
      return problem('entry-not-found', `Nothing is set for ${error.component}/${error.key} at exactly ${error.scope}.`)
    case 'version-not-found':
      return problem('version-not-found', `${error.component}/${error.key} has no version ${error.version} at ${error.scope}.`)
    case 'revision-beyond-head':
      return problem('revision-beyond-head', `Revision ${error.revision} does not exist yet; the head is ${error.head}.`, {
        members: { head: error.head },
      })
    case 'invalid-cursor':
      return faulty('invalid-cursor', [
        { pointer: cursorPointer, code: 'invalid-cursor', message: 'A cursor is <epoch>.<revision>, or a bare revision.' },
      ])
    case 'cursor-gone':
      return problem(
        'cursor-gone',
        `The cursor ${error.cursor} is not part of this store's history. Take a new snapshot and watch from its cursor.`,
        {
          members: { head: formatCursor(error.head) },
        },
      )
    case 'invalid-value':
      return faulty(
        'invalid-value',
        error.faults.map((fault) => ({ ...fault, pointer: `#/value${fault.pointer}` })),
      )
    case 'unknown-version':
      return faulty('unknown-version', [
        {
          pointer: '#/toVersion',
          code: 'unknown-version',
          message: `There is no version ${error.version}; the newest is ${error.newest}.`,
        },
      ])
    case 'stale-version':
      return staleVersion(error)
    case 'resolved-etag':
      return problem('resolved-etag', 'If-Match carries the ETag of a resolved value, which may be made of several entries.')
    case 'store-unavailable':
      return problem('store-unavailable', 'The store does not answer; nothing is known to have changed.', {
        headers: { 'retry-after': '1' },
      })
  }
}

function staleVersion({ current, differences }: StaleVersion): Problem {
  const now = current === null ? 'The entry does not exist.' : `The entry is at version ${current.version}, set by ${current.actor}.`
  return problem('stale-version', now, {
    members: {
      current: current === null ? null : (entryBody(current) as JsonValue),
      differences: differences as readonly JsonValue[],
    },
  })
}
