/** Why a store did not open. `reason` says how to mend it. */
export type StoreOpenError = Readonly<{
  kind: 'store-open-error'
  cause:
    | 'unusable-file'
    | 'busy'
    | 'foreign-database'
    | 'newer-database'
    | 'changed-migration'
    /** Migrations are pending and this process may not run them. */
    | 'older-database'
    | 'unreachable'
  reason: string
}>
