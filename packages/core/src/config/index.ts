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
  sameAddress,
  scopeChain,
  scopePattern,
} from './address.ts'
export type { AsOf, RevisionBeyondHead } from './as-of.ts'
export type { ConfigChange, Cursor, CursorGone, InvalidCursor, UnitChanges, WatchSelection } from './changes.ts'
export { formatCursor, placeCursor, watchSelection } from './changes.ts'
export type { ConfigLimits, ConfigService } from './config-service.ts'
export { configService } from './config-service.ts'
export type { ChangeOp, EntryNotFound, EntryVersion, InvalidValue, LiveVersion, VersionDraft, VersionNumber } from './entry.ts'
export { entryEtag, reasonLimit, valueDepthLimit, valueLimitBytes } from './entry.ts'
export type { DiffVersions, GetVersion, ListVersions, VersionDiff, VersionNotFound } from './entry-history.ts'
export type { ConfigNotFound, GetConfig } from './get-config.ts'
export type { GetEntry } from './get-entry.ts'
export type { ComponentSnapshot, GetSnapshot } from './get-snapshot.ts'
export type { ComponentList, ListComponents } from './list-components.ts'
export type { CacheRecord, ConfigCache } from './ports/config-cache.ts'
export type { ChangesAfter, ComponentSummary, ConfigStore, ConfigTransaction, Head, VersionsAt } from './ports/config-store.ts'
export type { Precondition, ResolvedEtagUsed, StaleVersion } from './precondition.ts'
export type { PutConfig } from './put-config.ts'
export type { ReadTunable } from './read-tunable.ts'
export type { Provenance } from './resolution.ts'
export type { ResolvedEntry } from './resolved-entry.ts'
export type { RollbackConfig, UnknownVersion } from './rollback-config.ts'
export type { LoadLimits, RateLimit, TokenRevocation, TokenRoles, Tunable } from './shipped-defaults.ts'
export { tunables } from './shipped-defaults.ts'
export type { UnsetConfig } from './unset-config.ts'
export type { ConfigWatch, WatchBatch, WatchConfig } from './watch-config.ts'
export type { ConditionalWrite, WriteError } from './write-entry.ts'
