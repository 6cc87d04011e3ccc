import type { Instant } from '../../kernel/clock.ts'
import { type Revision, zeroRevision } from '../../kernel/unit-of-work.ts'
import { type Address, type Component, type ConfigKey, type Scope, sameAddress } from '../address.ts'
import type { UnitChanges, WatchSelection } from '../changes.ts'
import type { EntryVersion, VersionNumber } from '../entry.ts'
import type { ComponentSummary } from '../ports/config-store.ts'

/** Every version ever committed, in the order of the commits: the whole truth, searched from end to end by every read. */
export type ConfigLog = readonly EntryVersion[]

export function modelHead(log: ConfigLog): Revision {
  return log.reduce<Revision>((head, { revision }) => (revision > head ? revision : head), zeroRevision)
}

export function modelRevisionAt(log: ConfigLog, instant: Instant): Revision {
  return modelHead(log.filter(({ recordedAt }) => recordedAt <= instant))
}

export function modelHistory(log: ConfigLog, at: Address): readonly EntryVersion[] {
  return log.filter((version) => sameAddress(version, at)).reverse()
}

export function modelVersion(log: ConfigLog, at: Address, wanted: VersionNumber): EntryVersion | null {
  return modelHistory(log, at).find(({ version }) => version === wanted) ?? null
}

function newestAt(log: ConfigLog, at: Address, asOf: Revision): readonly EntryVersion[] {
  return modelHistory(log, at)
    .filter(({ revision }) => revision <= asOf)
    .slice(0, 1)
}

export function modelChain(
  log: ConfigLog,
  component: Component,
  key: ConfigKey,
  scopes: readonly Scope[],
  asOf: Revision,
): readonly EntryVersion[] {
  return scopes.flatMap((scope) => newestAt(log, { component, key, scope }, asOf))
}

export function modelSnapshot(log: ConfigLog, component: Component, scopes: readonly Scope[], asOf: Revision): readonly EntryVersion[] {
  const keys = unique(log.filter((version) => version.component === component).map(({ key }) => key))
  return keys.sort().flatMap((key) => modelChain(log, component, key, scopes, asOf))
}

export function modelComponents(log: ConfigLog): readonly ComponentSummary[] {
  return unique(log.map(({ component }) => component))
    .sort()
    .map((component) => {
      const own = log.filter((version) => version.component === component)
      const newest = own.filter((version) => !own.some((later) => sameAddress(later, version) && later.version > version.version))
      return { component, entries: newest.filter(({ op }) => op === 'put').length, revision: modelHead(own) }
    })
}

/** Every matching unit after one revision and up to another, with its changes by address. */
export function modelChanges(
  log: ConfigLog,
  after: Revision,
  through: Revision,
  { component, scopes }: WatchSelection,
): readonly UnitChanges[] {
  const matching = log.filter(
    (version) =>
      version.revision > after &&
      version.revision <= through &&
      (component === null || version.component === component) &&
      (scopes === null || scopes.includes(version.scope)),
  )
  return unique(matching.map(({ revision }) => revision)).map((revision) =>
    byAddress({
      revision,
      changes: matching
        .filter((version) => version.revision === revision)
        .map(({ component: ownComponent, key, scope, version, op }) => ({ component: ownComponent, key, scope, version, op })),
    }),
  )
}

/** The port leaves the order of the changes within one unit open. */
export function byAddress({ revision, changes }: UnitChanges): UnitChanges {
  const nameOf = (at: Address): string => `${at.component} ${at.key} ${at.scope}`
  return { revision, changes: changes.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1)) }
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)]
}
