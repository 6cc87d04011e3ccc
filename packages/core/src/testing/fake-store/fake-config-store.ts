import { okAsync } from 'neverthrow'
import { select } from '../../config/changes.ts'
import { isLive } from '../../config/entry.ts'
import type { ComponentSummary, ConfigKey, ConfigStore, EntryVersion, Scope, UnitChanges } from '../../config/index.ts'
import { type Revision, zeroRevision } from '../../kernel/unit-of-work.ts'
import { type ComponentRow, headRevision, newestAsOf, type Tables, type Versions, versionsAt } from './tables.ts'

export function fakeConfigStore(tables: Tables): ConfigStore {
  return {
    head: () => okAsync({ epoch: tables.epoch, revision: headRevision(tables) }),
    revisionAt: (instant) => okAsync(revisionAt(tables, instant)),
    chain(component, key, scopes, asOf) {
      const revision = asOf ?? headRevision(tables)
      const atScopes = tables.components.get(component)?.keys.get(key)
      return okAsync({ revision, versions: newestAtScopes(atScopes, scopes, revision) })
    },
    snapshot(component, scopes, asOf) {
      const revision = asOf ?? headRevision(tables)
      const keys = tables.components.get(component)?.keys ?? new Map<ConfigKey, Map<Scope, Versions>>()
      const versions = [...keys.keys()].sort().flatMap((key) => newestAtScopes(keys.get(key), scopes, revision))
      return okAsync({ revision, versions })
    },
    version: (at, version) => okAsync(versionsAt(tables, at)[version - 1] ?? null),
    history(at, before, limit) {
      const versions = versionsAt(tables, at)
      const end = Math.min(versions.length, Math.max((before ?? Number.POSITIVE_INFINITY) - 1, 0))
      return okAsync(versions.slice(Math.max(end - limit, 0), end).reverse())
    },
    components(after, limit) {
      const names = [...tables.components.keys()].sort().filter((name) => after === null || name > after)
      return okAsync(names.slice(0, limit).map((name): ComponentSummary => summaryOf(name, tables.components.get(name))))
    },
    changes(after, selection, limit) {
      let through = after
      let read = 0
      const units: UnitChanges[] = []
      for (let index: number = after; index < tables.units.length; index += 1) {
        const unit = tables.units[index] as UnitChanges
        if (read > 0 && read + unit.changes.length > limit) break
        read += unit.changes.length
        through = unit.revision
        const selected = select(unit, selection)
        if (selected !== null) units.push(selected)
      }
      return okAsync({ units, through })
    },
  }
}

function newestAtScopes(
  atScopes: ReadonlyMap<Scope, Versions> | undefined,
  scopes: readonly Scope[],
  asOf: Revision,
): readonly EntryVersion[] {
  return scopes.flatMap((scope) => newestAsOf(atScopes?.get(scope) ?? [], asOf) ?? [])
}

function revisionAt(tables: Tables, instant: number): Revision {
  return (tables.recordedAt.findLastIndex((recordedAt) => recordedAt <= instant) + 1) as Revision
}

function summaryOf(component: ComponentSummary['component'], row: ComponentRow | undefined): ComponentSummary {
  let entries = 0
  for (const atScopes of row?.keys.values() ?? []) {
    for (const versions of atScopes.values()) entries += isLive(versions.at(-1) ?? null) ? 1 : 0
  }
  return { component, entries, revision: row?.revision ?? zeroRevision }
}
