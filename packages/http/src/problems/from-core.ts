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
import { type ApiKeyFailure, apiKeyProblems } from './from-api-keys.ts'
import { type EventFailure, eventProblems } from './from-events.ts'
import { type PaymentFailure, paymentProblems } from './from-payments.ts'
import { type WebhookFailure, webhookProblems } from './from-webhooks.ts'
import { faulty, type Problem, problem } from './problem.ts'
import type { ProblemTable } from './problem-table.ts'

type ConfigFailure =
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

/** Every error that a use case may answer. */
export type CoreError = ConfigFailure | PaymentFailure | WebhookFailure | EventFailure | ApiKeyFailure

const configProblems: ProblemTable<ConfigFailure> = {
  'config-not-found': ({ component, key, scope }) =>
    problem('config-not-found', `${component}/${key} has no value at ${scope} or above it.`),
  'entry-not-found': ({ component, key, scope }) =>
    problem('entry-not-found', `Nothing is set for ${component}/${key} at exactly ${scope}.`),
  'version-not-found': ({ component, key, scope, version }) =>
    problem('version-not-found', `${component}/${key} has no version ${version} at ${scope}.`),
  'revision-beyond-head': ({ revision, head }) =>
    problem('revision-beyond-head', `Revision ${revision} does not exist yet; the head is ${head}.`, { members: { head } }),
  'invalid-cursor': (_error, pointer) =>
    faulty('invalid-cursor', [{ pointer, code: 'invalid-cursor', message: 'A cursor is <epoch>.<revision>, or a bare revision.' }]),
  'cursor-gone': ({ cursor, head }) =>
    problem('cursor-gone', `The cursor ${cursor} is not part of this store's history. Take a new snapshot and watch from its cursor.`, {
      members: { head: formatCursor(head) },
    }),
  'invalid-value': ({ faults }) =>
    faulty(
      'invalid-value',
      faults.map((fault) => ({ ...fault, pointer: `#/value${fault.pointer}` })),
    ),
  'unknown-version': ({ version, newest }) =>
    faulty('unknown-version', [
      { pointer: '#/toVersion', code: 'unknown-version', message: `There is no version ${version}; the newest is ${newest}.` },
    ]),
  'stale-version': staleVersion,
  'resolved-etag': () => problem('resolved-etag', 'If-Match carries the ETag of a resolved value, which may be made of several entries.'),
  'store-unavailable': () =>
    problem('store-unavailable', 'The store does not answer; nothing is known to have changed.', { headers: { 'retry-after': '1' } }),
}

const table: ProblemTable<CoreError> = { ...configProblems, ...paymentProblems, ...webhookProblems, ...eventProblems, ...apiKeyProblems }

/** Total: an error kind without a problem does not compile. `cursorPointer` says where the cursor came from. */
export function problemOf(error: CoreError, cursorPointer = '#/query/since'): Problem {
  return (table[error.kind] as (error: CoreError, cursorPointer: string) => Problem)(error, cursorPointer)
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
