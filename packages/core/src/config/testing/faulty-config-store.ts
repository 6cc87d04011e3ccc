import type { ResultAsync } from 'neverthrow'
import { type StoreUnavailable, storeUnavailable } from '../../kernel/failures.ts'
import { type CallFault, type Faults, underFault } from '../../kernel/testing/faults.ts'
import type { ConfigStore } from '../ports/config-store.ts'

/** Reads that are slow or fail; a read has no effect, so that it cannot fail after one. */
export type ConfigStoreFault = Exclude<CallFault, 'unavailable-after'>

export function faultyConfigStore(inner: ConfigStore, faults: Faults<ConfigStoreFault>): ConfigStore {
  const read = <T>(call: () => ResultAsync<T, StoreUnavailable>): ResultAsync<T, StoreUnavailable> =>
    underFault(faults.draw(['slow', 'unavailable-before']), faults, storeUnavailable('injected: no connection'), call)
  return {
    head: () => read(() => inner.head()),
    revisionAt: (...args) => read(() => inner.revisionAt(...args)),
    chain: (...args) => read(() => inner.chain(...args)),
    snapshot: (...args) => read(() => inner.snapshot(...args)),
    version: (...args) => read(() => inner.version(...args)),
    history: (...args) => read(() => inner.history(...args)),
    components: (...args) => read(() => inner.components(...args)),
    changes: (...args) => read(() => inner.changes(...args)),
  }
}
