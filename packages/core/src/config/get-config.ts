import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Digest } from '../kernel/digest.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { type Address, scopeChain } from './address.ts'
import { type AsOf, type RevisionBeyondHead, revisionAsOf } from './as-of.ts'
import type { ConfigStore } from './ports/config-store.ts'
import type { ResolvedConfig } from './resolved-config.ts'
import { type ResolvedEntry, resolveEntry } from './resolved-entry.ts'
import { shippedDefault } from './shipped-defaults.ts'

/** Neither an entry in the scope chain nor a shipped default gives this setting a value. */
export type ConfigNotFound = Readonly<{ kind: 'config-not-found' }> & Address

/** The value that counts at an address, now or at a point in the past. */
export type GetConfig = (
  at: Address,
  asOf?: AsOf | null,
) => ResultAsync<ResolvedEntry, ConfigNotFound | RevisionBeyondHead | StoreUnavailable>

export function getConfig(deps: Readonly<{ resolved: ResolvedConfig; store: ConfigStore; digest: Digest }>): GetConfig {
  const { resolved, store, digest } = deps
  return (at, asOf = null) => {
    if (asOf === null) return new ResultAsync(resolved.get(at).then((read) => read.andThen((entry) => found(at, entry))))
    return revisionAsOf(store, asOf)
      .andThen((revision) => store.chain(at.component, at.key, scopeChain(at.scope), revision))
      .andThen(({ versions }) => found(at, resolveEntry(digest, at, shippedDefault(at.component, at.key), versions)))
  }
}

function found({ component, key, scope }: Address, entry: ResolvedEntry | null): Result<ResolvedEntry, ConfigNotFound> {
  return entry === null ? err({ kind: 'config-not-found', component, key, scope }) : ok(entry)
}
