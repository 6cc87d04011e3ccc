import type { ResultAsync } from 'neverthrow'
import type { Instant } from '../../kernel/clock.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { Records } from '../../kernel/records.ts'
import type { ApiKey, ApiKeyUse } from '../api-key.ts'

/** API keys inside a unit of work. */
export type ApiKeyRecords = Readonly<{
  apiKeys: Records<ApiKey, 'id'>
  apiKeyUses: Records<ApiKeyUse, 'keyId'>
}>

/** Port: committed API keys, read outside of units of work. Each read sees every unit whose commit was answered before it began. */
export interface ApiKeyStore {
  apiKey(id: Uuid): ResultAsync<ApiKey | null, StoreUnavailable>
  /** Newest first (by id, descending), at most `limit`, all before `before` where it is given; revoked ones too. `owner` `null`: of everybody. */
  apiKeys(owner: string | null, before: Uuid | null, limit: number): ResultAsync<readonly ApiKey[], StoreUnavailable>
  /** Of these keys, at most 1000, in no order; without those that were never used. */
  apiKeyUses(ids: readonly Uuid[]): ResultAsync<readonly ApiKeyUse[], StoreUnavailable>
  /** Keys whose `warnAt` has come, the earliest first. */
  dueForWarning(now: Instant, limit: number): ResultAsync<readonly ApiKey[], StoreUnavailable>
}
