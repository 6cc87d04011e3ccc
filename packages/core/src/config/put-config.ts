import { ok, type ResultAsync } from 'neverthrow'
import type { JsonValue } from '../kernel/json.ts'
import { checkValue, type EntryVersion } from './entry.ts'
import { type ConditionalWrite, type WriteDependencies, type WriteError, writeEntry } from './write-entry.ts'

/** Sets the value at one address; answers the version made. */
export type PutConfig = (write: ConditionalWrite & Readonly<{ value: JsonValue }>) => ResultAsync<EntryVersion, WriteError>

export function putConfig(deps: WriteDependencies): PutConfig {
  return (write) => checkValue(write.value).asyncAndThen((value) => writeEntry(deps, write, () => ok({ content: { op: 'put', value } })))
}
