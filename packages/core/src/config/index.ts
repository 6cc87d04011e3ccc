export type { Address, Component, ConfigKey, Scope } from './address.ts'
export {
  componentPattern,
  keyLengthLimit,
  keyPattern,
  parseComponent,
  parseKey,
  parseScope,
  reservedComponents,
  rootScope,
  scopeChain,
  scopePattern,
} from './address.ts'
export type { ConfigChange, Cursor, CursorGone, InvalidCursor, UnitChanges, WatchSelection } from './changes.ts'
export { formatCursor, placeCursor, watchSelection } from './changes.ts'
export type { ChangeOp, EntryVersion, InvalidValue, LiveVersion, VersionDraft, VersionNumber } from './entry.ts'
export { entryEtag, reasonLimit, valueDepthLimit, valueLimitBytes } from './entry.ts'
export type { CacheRecord, ConfigCache } from './ports/config-cache.ts'
export type { ChangesAfter, ComponentSummary, ConfigStore, ConfigTransaction, Head, VersionsAt } from './ports/config-store.ts'
export type { Precondition, ResolvedEtagUsed, StaleVersion } from './precondition.ts'
export type { Provenance } from './resolution.ts'
export type { ResolvedEntry } from './resolved-entry.ts'
export type { Tunable } from './shipped-defaults.ts'
export { tunables } from './shipped-defaults.ts'
