import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { type DataKey, dataKeyContext } from './data-key.ts'
import type { DataKeyRecords, DataKeyStore } from './ports/data-key-store.ts'
import type { SealedRows, SealedSecret } from './reseal.ts'

/** There are few of them, all on one page; their context says which one it is. */
export function sealedDataKeys(store: DataKeyStore): SealedRows<DataKeyRecords> {
  return {
    name: 'data-key',
    rows: () =>
      store.dataKeys(null).map((keys) => ({
        items: keys.map((key) => ({ id: dataKeyContext(key), secrets: [secretOf(key)] })),
        next: null,
      })),
    replace: (tx, id, again) => new ResultAsync(replace(tx, id, again)),
  }
}

async function replace(tx: DataKeyRecords, id: string, again: (secret: SealedSecret) => string): Promise<Result<void, StoreUnavailable>> {
  const [purpose, version] = placeOf(id)
  const found = await tx.dataKeys.find({ purpose, version })
  if (found.isErr()) return err(found.error)
  if (found.value !== null) tx.dataKeys.update({ ...found.value, sealed: again(secretOf(found.value)) })
  return ok()
}

function placeOf(context: string): readonly [DataKey['purpose'], number] {
  const [, purpose, version] = context.split(':')
  return [purpose as DataKey['purpose'], Number(version)]
}

function secretOf(key: DataKey): SealedSecret {
  return { sealed: key.sealed, context: dataKeyContext(key) }
}
