import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import { afterDelay, type Faults } from '../../kernel/testing/faults.ts'
import type { SequencedEvent } from '../event.ts'
import type { BrokerUnavailable, EventBroker, EventRefused } from '../ports/event-broker.ts'

/**
 * `refused`: returned without delivery. `unavailable`: lost before delivery. `confirm-lost`: delivered, but never
 * confirmed. `delivered-late`: reported as lost, yet delivered after a while, perhaps behind later events.
 * `duplicated`: delivered twice, confirmed once. `slow`: in order, but late.
 */
export type EventBrokerFault = 'slow' | 'refused' | 'unavailable' | 'confirm-lost' | 'delivered-late' | 'duplicated'

type Confirm = ResultAsync<void, BrokerUnavailable | EventRefused>

const publishFaults = ['slow', 'refused', 'unavailable', 'confirm-lost', 'delivered-late', 'duplicated'] as const

export function faultyEventBroker(inner: EventBroker, faults: Faults<EventBrokerFault>): EventBroker {
  return {
    subscribe: (consumer) => inner.subscribe(consumer),
    publish(event: SequencedEvent): Confirm {
      switch (faults.draw(publishFaults)) {
        case 'slow':
          return afterDelay(faults, () => inner.publish(event))
        case 'refused':
          return errAsync({ kind: 'event-refused', reason: 'injected: returned' })
        case 'unavailable':
          return errAsync(noConfirm)
        case 'confirm-lost':
          return inner.publish(event).andThen(() => errAsync(noConfirm))
        case 'delivered-late':
          // Nobody waits for it any more; whether it is refused then makes no difference.
          void afterDelay(faults, () => inner.publish(event)).orElse(() => okAsync(undefined))
          return errAsync(noConfirm)
        case 'duplicated':
          return inner.publish(event).andThen(() => inner.publish(event))
        case null:
          return inner.publish(event)
      }
    },
  }
}

const noConfirm: BrokerUnavailable = { kind: 'broker-unavailable', reason: 'injected: no confirm' }
