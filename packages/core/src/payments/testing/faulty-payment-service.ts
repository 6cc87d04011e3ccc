import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import { afterDelay, type CallFault, type Faults, underFault } from '../../kernel/testing/faults.ts'
import type { PaymentService, PaymentServiceUnavailable } from '../ports/payment-service.ts'

/**
 * `unavailable-before`: lost on its way there. `unavailable-after`: carried out, and the answer lost. `unsent`: it surely
 * never left. `late`: reported as lost, yet it arrives after a while. `partition`: from now on, and for a delay, nothing
 * gets through either way. `slow`: in order, but late.
 */
export type PaymentServiceFault = CallFault | 'unsent' | 'late' | 'partition'

const instructFaults = ['slow', 'unavailable-before', 'unavailable-after', 'unsent', 'late', 'partition'] as const
const findFaults = ['slow', 'unavailable-before', 'partition'] as const

const lost: PaymentServiceUnavailable = { kind: 'payment-service-unavailable', sent: true, reason: 'injected: no answer' }
const unsent: PaymentServiceUnavailable = { kind: 'payment-service-unavailable', sent: false, reason: 'injected: no connection' }

/** A service that others reach in order, seen through a bad network. */
export function faultyPaymentService(inner: PaymentService, faults: Faults<PaymentServiceFault>): PaymentService {
  let partitions = 0
  const part = (): void => {
    partitions += 1
    void faults.delay().then(() => {
      partitions -= 1
    })
  }
  const under = <T, E>(fault: PaymentServiceFault | null, call: () => ResultAsync<T, E>): ResultAsync<T, E | PaymentServiceUnavailable> => {
    switch (fault) {
      case 'unsent':
        return errAsync(unsent)
      case 'late':
        // Nobody waits for it any more.
        void afterDelay(faults, call).orElse(() => okAsync(null))
        return errAsync(lost)
      case 'partition':
        part()
        return errAsync(lost)
      case 'slow':
      case 'unavailable-before':
      case 'unavailable-after':
      case null:
        return underFault(fault, faults, lost, call)
    }
  }
  return {
    instruct: (instruction) => (partitions > 0 ? errAsync(lost) : under(faults.draw(instructFaults), () => inner.instruct(instruction))),
    find: (attemptId) => (partitions > 0 ? errAsync(lost) : under(faults.draw(findFaults), () => inner.find(attemptId))),
  }
}
