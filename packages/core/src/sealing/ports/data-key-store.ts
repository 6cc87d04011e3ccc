import type { ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Records } from '../../kernel/records.ts'
import type { DataKey, DataKeyPurpose } from '../data-key.ts'

/** Data keys inside a unit of work. Never removed: what was made with one needs it for good. */
export type DataKeyRecords = Readonly<{ dataKeys: Records<DataKey, 'purpose' | 'version'> }>

/** Port: committed data keys, read outside of units of work. */
export interface DataKeyStore {
  /** Newest version first. `null`: of every purpose. */
  dataKeys(purpose: DataKeyPurpose | null): ResultAsync<readonly DataKey[], StoreUnavailable>
}
