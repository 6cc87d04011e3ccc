import { formatCursor, type StaleVersion, timestamp } from '@cbp/core'
import { entryBody } from '@cbp/http/bodies'
import type { CoreFailure } from './core-failures.ts'
import { exitCodes, type Failure } from './failure.ts'
import { differenceLines } from './json-text.ts'
import { plain } from './style.ts'

type ConfigKind =
  | 'config-not-found'
  | 'entry-not-found'
  | 'version-not-found'
  | 'unknown-version'
  | 'revision-beyond-head'
  | 'stale-version'
  | 'resolved-etag'
  | 'invalid-value'
  | 'invalid-cursor'
  | 'cursor-gone'

const { refused, usage, conflict, notFound } = exitCodes

/** What an error about configuration means at the command line. */
export function configFailure(error: Extract<CoreFailure, Readonly<{ kind: ConfigKind }>>): Failure {
  switch (error.kind) {
    case 'config-not-found':
      return {
        exitCode: notFound,
        code: error.kind,
        detail: `${error.component}/${error.key} has no value at ${error.scope} or above it.`,
        mend: `List what there is with: cbp config list ${error.component}`,
      }
    case 'entry-not-found':
      return {
        exitCode: notFound,
        code: error.kind,
        detail: `Nothing is set for ${error.component}/${error.key} at exactly ${error.scope}.`,
        mend: `A value may still be inherited; see: cbp config get ${error.component} ${error.key} --scope ${error.scope} --provenance`,
      }
    case 'version-not-found':
      return {
        exitCode: notFound,
        code: error.kind,
        detail: `${error.component}/${error.key} has no version ${error.version} at ${error.scope}.`,
        mend: `List its versions with: cbp config history ${error.component} ${error.key} --scope ${error.scope}`,
      }
    case 'unknown-version':
      return {
        exitCode: notFound,
        code: error.kind,
        detail: `There is no version ${error.version} to return to; the newest is ${error.newest}.`,
        mend: 'List the versions with: cbp config history',
      }
    case 'revision-beyond-head':
      return {
        exitCode: notFound,
        code: error.kind,
        detail: `Revision ${error.revision} does not exist yet; the newest is ${error.head}.`,
        members: { head: error.head },
      }
    case 'stale-version':
      return staleVersion(error)
    case 'resolved-etag':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: 'The tag given to --if-match is that of a resolved value, which may be made of several entries. Nothing was written.',
        mend: 'Use the entry\'s own tag, "entryEtag" in: cbp config get … --json',
      }
    case 'invalid-value':
      return { exitCode: refused, code: error.kind, detail: 'The value is not acceptable. Nothing was written.', errors: error.faults }
    case 'invalid-cursor':
      return {
        exitCode: usage,
        code: error.kind,
        detail: `"${plain(error.cursor)}" is not a cursor.`,
        mend: 'Give --since a cursor as it was printed, <epoch>.<revision>, or a bare revision.',
      }
    case 'cursor-gone':
      return cursorGone(error.cursor, formatCursor(error.head))
  }
}

/** The cursor of a watch belongs to another history: the store was restored or failed over. */
export function cursorGone(cursor: string, head: string): Failure {
  return {
    exitCode: refused,
    code: 'cursor-gone',
    detail: `The cursor ${plain(cursor)} is not part of this store's history; its head is ${plain(head)}.`,
    mend: 'The store was restored or failed over: read again what you keep of it, then watch from the head.',
    members: { cursor, head },
  }
}

function staleVersion({ current, differences }: StaleVersion): Failure {
  const now =
    current === null
      ? 'it does not exist now.'
      : `it is at version ${current.version} now, set by ${plain(current.actor)} at ${timestamp(current.recordedAt)}: ${plain(current.reason)}`
  const again = current === null ? '--create' : `--if-version ${current.version}`
  return {
    exitCode: conflict,
    code: 'stale-version',
    detail: `The entry is not what the write was made against; ${now}`,
    mend: `Nothing was written. Look at what changed, decide anew, and write with ${again}.`,
    members: { current: current === null ? null : entryBody(current), differences },
    more: (style) => (differences.length === 0 ? '' : `Changed meanwhile:\n${differenceLines(style, differences)}`),
  }
}
