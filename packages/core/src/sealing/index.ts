export type { DataKey, DataKeyPurpose } from './data-key.ts'
export { dataKeyContext } from './data-key.ts'
export type { DataKeyRecords, DataKeyStore } from './ports/data-key-store.ts'
