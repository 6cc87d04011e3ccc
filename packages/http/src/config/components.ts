import type { ComponentList, ConfigService, Identity, Revision, RevisionBeyondHead, Scope, StoreUnavailable } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'

/** Where a list goes on: behind a component that was listed, less so many that were looked at since and do not show. */
export type Place = Readonly<{ after: string | null; skip: number }>

export type VisibleComponents = Readonly<{ items: ComponentList['items']; head: ComponentList['head']; next: Place | null }>

type Listed = Result<VisibleComponents, RevisionBeyondHead | StoreUnavailable>

export const start: Place = { after: null, skip: 0 }

const placeForm = /^([a-z][a-z0-9-]{0,62})?(?:\+([1-9]\d{0,4}))?$/
/** Snapshots that one request may read. */
const snapshotLimit = 200

export function formatPlace({ after, skip }: Place): string {
  return `${after ?? ''}${skip === 0 ? '' : `+${skip}`}`
}

export function readPlace(text: string): Place | null {
  const parts = text === '' ? null : placeForm.exec(text)
  return parts === null ? null : { after: parts[1] ?? null, skip: Number(parts[2] ?? 0) }
}

/** The components that this caller may know of, by name. Cursors never name one that does not show. */
export async function listComponents(config: ConfigService, { configScopes }: Identity, place: Place, limit: number): Promise<Listed> {
  if (configScopes === null) {
    const listed = await config.components({ after: place.after, limit })
    return listed.map(({ items, head, next }) => ({ items, head, next: next === null ? null : { after: next, skip: 0 } }))
  }
  const scopes = [...new Set(configScopes)]
  const look = scopes.length === 0 ? 0 : Math.max(1, Math.floor(snapshotLimit / scopes.length))
  const listed = await config.components({ after: place.after, limit: place.skip + Math.max(1, look) })
  if (listed.isErr()) return err(listed.error)
  const { head, next } = listed.value
  const candidates = look === 0 ? [] : listed.value.items.slice(place.skip)
  const items: ComponentList['items'][number][] = []
  for (const [index, { component }] of candidates.entries()) {
    const shown = await whatShows(config, component, scopes)
    if (shown.isErr()) return err(shown.error)
    if (shown.value !== null) items.push({ component, ...shown.value })
    if (items.length === limit) {
      const isLast = next === null && index === candidates.length - 1
      return ok({ items, head, next: isLast ? null : { after: component, skip: 0 } })
    }
  }
  const isDone = next === null || look === 0
  return ok({ items, head, next: isDone ? null : { after: place.after, skip: place.skip + candidates.length } })
}

type Component = ComponentList['items'][number]['component']
type Shown = Readonly<{ entries: number; revision: Revision }>

async function whatShows(
  config: ConfigService,
  component: Component,
  scopes: readonly Scope[],
): Promise<Result<Shown | null, RevisionBeyondHead | StoreUnavailable>> {
  const keys = new Set<string>()
  let revision = 0 as Revision
  for (const scope of scopes) {
    const snapshot = await config.snapshot(component, scope, null)
    if (snapshot.isErr()) return err(snapshot.error)
    for (const entry of snapshot.value.entries) {
      keys.add(entry.key)
      if (entry.revision > revision) revision = entry.revision
    }
  }
  return ok(keys.size === 0 ? null : { entries: keys.size, revision })
}
