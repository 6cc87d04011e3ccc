import type { ResultAsync } from 'neverthrow'
import { type StoreUnavailable, storeUnavailable } from '../../kernel/failures.ts'
import { type CallFault, type Faults, underFault } from '../../kernel/testing/faults.ts'
import type { WebhookStore } from '../ports/webhook-store.ts'

const reads: readonly CallFault[] = ['slow', 'unavailable-before']
const writes: readonly CallFault[] = ['slow', 'unavailable-before', 'unavailable-after']

/** Calls that are slow, fail, or take effect and lose their answer. */
export function faultyWebhookStore(inner: WebhookStore, faults: Faults<CallFault>): WebhookStore {
  const under = <T>(candidates: readonly CallFault[], call: () => ResultAsync<T, StoreUnavailable>): ResultAsync<T, StoreUnavailable> =>
    underFault(faults.draw(candidates), faults, storeUnavailable('injected: no connection'), call)
  return {
    subscription: (...args) => under(reads, () => inner.subscription(...args)),
    subscriptions: (...args) => under(reads, () => inner.subscriptions(...args)),
    delivery: (...args) => under(reads, () => inner.delivery(...args)),
    deliveries: (...args) => under(reads, () => inner.deliveries(...args)),
    dueLanes: (...args) => under(reads, () => inner.dueLanes(...args)),
    dueDeliveries: (...args) => under(reads, () => inner.dueDeliveries(...args)),
    backlog: () => under(reads, () => inner.backlog()),
    dropExpiredIds: (...args) => under(writes, () => inner.dropExpiredIds(...args)),
  }
}
