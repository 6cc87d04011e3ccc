import { err, ok, type Result } from 'neverthrow'
import type { Revision } from '../kernel/unit-of-work.ts'
import { type Component, type ConfigKey, type Scope, scopeChain } from './address.ts'
import type { ChangeOp, VersionNumber } from './entry.ts'

/** What happened at one address; the value is left for an authorized read. */
export type ConfigChange = Readonly<{
  component: Component
  key: ConfigKey
  scope: Scope
  version: VersionNumber
  op: ChangeOp
}>

/** Everything that one unit of work changed. */
export type UnitChanges = Readonly<{ revision: Revision; changes: readonly ConfigChange[] }>

/** Which changes a watcher wants; `null` leaves that side open. */
export type WatchSelection = Readonly<{
  component: Component | null
  /** These scopes; for a watched scope that is itself and its ancestors. */
  scopes: readonly Scope[] | null
}>

export const everything: WatchSelection = { component: null, scopes: null }

/** A watched scope selects itself and its ancestors, because their entries count there. */
export function watchSelection(component: Component | null, scope: Scope | null): WatchSelection {
  return { component, scopes: scope === null ? null : scopeChain(scope) }
}

/** The part of a unit that a selection takes, or `null` when it takes nothing. */
export function select(unit: UnitChanges, selection: WatchSelection): UnitChanges | null {
  if (selection.component === null && selection.scopes === null) return unit
  const changes = unit.changes.filter((change) => isSelected(change, selection))
  if (changes.length === 0) return null
  return changes.length === unit.changes.length ? unit : { revision: unit.revision, changes }
}

function isSelected(change: ConfigChange, { component, scopes }: WatchSelection): boolean {
  return (component === null || change.component === component) && (scopes === null || scopes.includes(change.scope))
}

/** A place in the history of one epoch, written `<epoch>.<revision>`. */
export type Cursor = Readonly<{ epoch: string; revision: Revision }>

export type InvalidCursor = Readonly<{ kind: 'invalid-cursor'; cursor: string }>

/** A cursor of another epoch, or beyond the head: the watcher has to take a new snapshot. */
export type CursorGone = Readonly<{ kind: 'cursor-gone'; cursor: string; head: Cursor }>

export function formatCursor({ epoch, revision }: Cursor): string {
  return `${epoch}.${revision}`
}

/** Reads `<epoch>.<revision>`, or a bare revision of the head's epoch, and holds it against the head. */
export function placeCursor(text: string, head: Cursor): Result<Cursor, InvalidCursor | CursorGone> {
  const parts = /^(?:([a-z0-9]{1,32})\.)?(\d{1,15})$/.exec(text)
  if (parts === null) return err({ kind: 'invalid-cursor', cursor: text })
  const epoch = parts[1] ?? head.epoch
  const revision = Number(parts[2]) as Revision
  if (epoch !== head.epoch || revision > head.revision) return err({ kind: 'cursor-gone', cursor: text, head })
  return ok({ epoch, revision })
}
