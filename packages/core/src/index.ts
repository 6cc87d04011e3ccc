export * from './access/index.ts'
export * from './audit/index.ts'
export * from './config/index.ts'
export type { Core, CoreLimits } from './create-core.ts'
export { createCore } from './create-core.ts'
export * from './events/index.ts'
export type { Caller } from './kernel/caller.ts'
export type { CancelSignal } from './kernel/cancel.ts'
export { cancelSource, neverCancelled } from './kernel/cancel.ts'
export type { Clock, Instant } from './kernel/clock.ts'
export { timestamp } from './kernel/clock.ts'
export type { Digest } from './kernel/digest.ts'
export type { InputFault, StoreUnavailable } from './kernel/failures.ts'
export { storeUnavailable } from './kernel/failures.ts'
export type { IdSource, Uuid } from './kernel/ids.ts'
export type { JsonDifference, JsonObject, JsonValue } from './kernel/json.ts'
export type { CannotUnseal, KeyRing, Sealed } from './kernel/key-ring.ts'
export type { Log, LogLevel } from './kernel/log.ts'
export type { Mac } from './kernel/mac.ts'
export { maskFields, maskText } from './kernel/masking.ts'
export { isNumberKept } from './kernel/number-kept.ts'
export type { Page } from './kernel/page.ts'
export type { Random } from './kernel/random.ts'
export { fullJitterMs } from './kernel/random.ts'
export type { Records } from './kernel/records.ts'
export type { SecretSource } from './kernel/secret-source.ts'
export type { SecretValue } from './kernel/secret-value.ts'
export { secretValue } from './kernel/secret-value.ts'
export type { Signals, Topic } from './kernel/signals.ts'
export type {
  AttemptFailure,
  Commit,
  Committed,
  Contended,
  OutcomeUnknown,
  Revision,
  Transactions,
  UnitId,
  UnitOfWork,
} from './kernel/unit-of-work.ts'
export { zeroRevision } from './kernel/unit-of-work.ts'
export type { Viewer } from './kernel/viewer.ts'
export * from './payments/index.ts'
export type { Ports } from './ports.ts'
export * from './sealing/index.ts'
export type { Transaction } from './transaction.ts'
export * from './users/index.ts'
export * from './webhooks/index.ts'
