import type { ResultAsync } from 'neverthrow'
import { type StoreUnavailable, storeUnavailable } from '../../kernel/failures.ts'
import { type CallFault, type Faults, underFault } from '../../kernel/testing/faults.ts'
import type { Outbox } from '../ports/outbox.ts'

const reads: readonly CallFault[] = ['slow', 'unavailable-before']
const writes: readonly CallFault[] = ['slow', 'unavailable-before', 'unavailable-after']

/** Calls that are slow, fail, or take effect and lose their answer. */
export function faultyOutbox(inner: Outbox, faults: Faults<CallFault>): Outbox {
  const under = <T>(candidates: readonly CallFault[], call: () => ResultAsync<T, StoreUnavailable>): ResultAsync<T, StoreUnavailable> =>
    underFault(faults.draw(candidates), faults, storeUnavailable('injected: no connection'), call)
  return {
    lease: (...args) => under(writes, () => inner.lease(...args)),
    renew: (...args) => under(writes, () => inner.renew(...args)),
    pending: (...args) => under(reads, () => inner.pending(...args)),
    record: (...args) => under(writes, () => inner.record(...args)),
    backlog: () => under(reads, () => inner.backlog()),
    stream: (...args) => under(reads, () => inner.stream(...args)),
    streams: (...args) => under(reads, () => inner.streams(...args)),
    unblock: (...args) => under(writes, () => inner.unblock(...args)),
  }
}
