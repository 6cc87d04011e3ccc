import { err, ok, okAsync, type Result, ResultAsync } from 'neverthrow'
import type { Clock } from '../kernel/clock.ts'
import { type StoreUnavailable, storeUnavailable } from '../kernel/failures.ts'
import type { KeyRing } from '../kernel/key-ring.ts'
import type { Log } from '../kernel/log.ts'
import type { SecretSource } from '../kernel/secret-source.ts'
import { type SecretValue, secretValue } from '../kernel/secret-value.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import { type DataKey, type DataKeyPurpose, dataKeyContext } from './data-key.ts'
import type { DataKeyRecords, DataKeyStore } from './ports/data-key-store.ts'

/** A data key ready for use. */
export type OpenedDataKey = Readonly<{ version: number; keyBase64: SecretValue }>

/** There is none of that version, or no key on the ring opens it. */
export type DataKeyUnusable = Readonly<{ kind: 'data-key-unusable'; purpose: DataKeyPurpose; version: number; reason: string }>

/** Data keys, opened once a process and then answered from memory. */
export type DataKeys = Readonly<{
  /** The newest one, made where there is none. One that does not open counts as an unavailable store, and the log says why. */
  current: (purpose: DataKeyPurpose) => ResultAsync<OpenedDataKey, StoreUnavailable>
  /** The one that something was made with. */
  at: (purpose: DataKeyPurpose, version: number) => ResultAsync<OpenedDataKey, DataKeyUnusable | StoreUnavailable>
}>

type Dependencies = Readonly<{
  dataKeyStore: DataKeyStore
  unitOfWork: UnitOfWork<DataKeyRecords>
  keyRing: KeyRing
  secretSource: SecretSource
  clock: Clock
  log: Log
}>

const keyBytes = 32

export function dataKeys(deps: Dependencies): DataKeys {
  const newest = new Map<DataKeyPurpose, OpenedDataKey>()
  const opened = new Map<string, OpenedDataKey>()
  const open = (sealed: DataKey): Result<OpenedDataKey, DataKeyUnusable> => {
    const context = dataKeyContext(sealed)
    const known = opened.get(context)
    if (known !== undefined) return ok(known)
    return openKey(deps, sealed).map((key) => {
      opened.set(context, key)
      return key
    })
  }
  const loadCurrent = async (purpose: DataKeyPurpose): Promise<Result<OpenedDataKey, StoreUnavailable>> => {
    const stored = await deps.dataKeyStore.dataKeys(purpose)
    if (stored.isErr()) return err(stored.error)
    const first = stored.value[0]
    const row = first === undefined ? await makeFirst(deps, purpose) : ok(first)
    if (row.isErr()) return err(row.error)
    const key = open(row.value).mapErr(({ reason }) => storeUnavailable(`the data key ${purpose} cannot be used: ${reason}`))
    if (key.isOk()) newest.set(purpose, key.value)
    return key
  }
  const load = async (purpose: DataKeyPurpose, version: number): Promise<Result<OpenedDataKey, DataKeyUnusable | StoreUnavailable>> => {
    const stored = await deps.dataKeyStore.dataKeys(purpose)
    if (stored.isErr()) return err(stored.error)
    const row = stored.value.find((each) => each.version === version)
    return row === undefined ? err({ kind: 'data-key-unusable', purpose, version, reason: 'there is none' }) : open(row)
  }
  return {
    current: (purpose) => {
      const known = newest.get(purpose)
      return known === undefined ? new ResultAsync(loadCurrent(purpose)) : okAsync(known)
    },
    at: (purpose, version) => {
      const known = opened.get(dataKeyContext({ purpose, version }))
      return known === undefined ? new ResultAsync(load(purpose, version)) : okAsync(known)
    },
  }
}

/** The unique key decides between instances that make the first one at once; all of them go on with the one that was kept. */
async function makeFirst(deps: Dependencies, purpose: DataKeyPurpose): Promise<Result<DataKey, StoreUnavailable>> {
  const { keyRing, secretSource, clock, unitOfWork } = deps
  const at = { purpose, version: 1 }
  const made: DataKey = { ...at, sealed: keyRing.seal(secretSource.base64(keyBytes), dataKeyContext(at)), createdAt: clock.now() }
  const keepOne = async (tx: DataKeyRecords): Promise<Result<DataKey, StoreUnavailable>> => {
    const found = await tx.dataKeys.find(at)
    if (found.isErr()) return err(found.error)
    if (found.value !== null) return ok(found.value)
    tx.dataKeys.insert(made)
    return ok(made)
  }
  return unitOfWork.run((tx) => new ResultAsync(keepOne(tx))).map(({ value }) => value)
}

function openKey({ keyRing, log }: Dependencies, { purpose, version, sealed }: DataKey): Result<OpenedDataKey, DataKeyUnusable> {
  const text = keyRing.unseal(sealed, dataKeyContext({ purpose, version }))
  if (text.isOk()) return ok({ version, keyBase64: secretValue(text.value) })
  const { reason } = text.error
  log.write('error', 'a data key cannot be opened', { purpose, version, reason })
  return err({ kind: 'data-key-unusable', purpose, version, reason })
}
