import type { ResultAsync } from 'neverthrow'
import { type StoreUnavailable, storeUnavailable } from '../../kernel/failures.ts'
import { type CallFault, type Faults, underFault } from '../../kernel/testing/faults.ts'

const faultsOfReads: readonly CallFault[] = ['slow', 'unavailable-before']

/** A port of committed reads, some of them slow or in vain. */
export function faultyQueries<Port extends object>(port: Port, faults: Faults<CallFault>): Port {
  type Method = (...args: unknown[]) => ResultAsync<unknown, StoreUnavailable>
  const methods = Object.entries(port) as [string, Method][]
  const unavailable = storeUnavailable('injected: no connection')
  return Object.fromEntries(
    methods.map(([name, method]) => [
      name,
      (...args: unknown[]) => underFault(faults.draw(faultsOfReads), faults, unavailable, () => method(...args)),
    ]),
  ) as Port
}
