import { okAsync } from 'neverthrow'
import type { Delivery, EventConsumer, InboxPosition } from '../../events/index.ts'
import { unitOfWork } from '../../kernel/unit-of-work.ts'
import type { PaymentId } from '../../payments/index.ts'
import type { Ports } from '../../ports.ts'
import type { Transaction } from '../../transaction.ts'
import { changingUnits, writingAfterwards, writingBeforehand } from './mutant-units.ts'
import type { Mutant } from './mutants.ts'
import { witness, witnessName } from './witness.ts'

/** In the consumers of events. */
export const plantedConsumerBugs: readonly Mutant[] = [
  {
    name: 'advances the inbox in a second unit after the effect',
    law: 'L15',
    host: (ports) => writingAfterwards(ports, withoutInbox),
  },
  {
    name: 'advances the inbox in a unit of its own before the effect',
    law: 'L15',
    host: (ports) => writingBeforehand(ports, withoutInbox),
  },
  {
    name: 'keeps no inbox',
    law: 'L15',
    host: (ports) =>
      consuming(ports, (consumer, delivery) => (consumer.name === witnessName ? applied(ports, delivery) : consumer.handle(delivery))),
  },
  {
    name: 'accepts an event before it is applied',
    law: 'L15',
    host: (ports) =>
      consuming(ports, (consumer, delivery) => {
        void consumer.handle(delivery)
        return okAsync(undefined)
      }),
  },
  {
    name: 'passes events on without their sequence',
    law: 'L15',
    host: (ports) => consuming(ports, (consumer, delivery) => consumer.handle({ ...delivery, sequence: 1 })),
  },
  {
    name: 'sets an event aside and does not advance',
    law: 'L15',
    host: (ports) => changingUnits(ports, stayingAtDeadLetters),
  },
  {
    name: 'queues webhooks in a second unit after the inbox',
    law: 'L15',
    host: (ports) =>
      writingAfterwards(ports, (tx, putOff) => ({
        ...tx,
        deliveries: { ...tx.deliveries, insert: (row) => putOff((later) => later.deliveries.insert(row)) },
      })),
  },
  {
    name: 'tells subscribers of the payments of others',
    law: 'L15',
    host: (ports) => {
      let ofAnother: PaymentId | null = null
      return changingUnits(ports, (tx) => ({
        ...tx,
        payments: {
          ...tx.payments,
          insert: (row) => {
            if (row.client === 'client 1') ofAnother = row.id
            tx.payments.insert(row)
          },
        },
        subscribers: ({ paymentId }) => tx.subscribers({ paymentId: paymentId && (ofAnother ?? paymentId) }),
      }))
    },
  },
]

function consuming(ports: Ports, handle: (consumer: EventConsumer, delivery: Delivery) => ReturnType<EventConsumer['handle']>): Ports {
  const { eventBroker } = ports
  return {
    ...ports,
    eventBroker: {
      ...eventBroker,
      subscribe: (consumer) => eventBroker.subscribe({ ...consumer, handle: (delivery) => handle(consumer, delivery) }),
    },
  }
}

/** As it comes: without a look at what was applied before. */
function applied(ports: Ports, delivery: Delivery): ReturnType<EventConsumer['handle']> {
  const { apply } = witness(() => false)
  return unitOfWork<Transaction>(ports)
    .run((tx) => apply(tx, delivery))
    .map(() => undefined)
    .mapErr(({ reason }) => ({ kind: 'event-refused', reason }))
}

function withoutInbox(tx: Transaction, putOff: (write: (later: Transaction) => void) => void): Transaction {
  const isOfWitness = ({ consumer }: InboxPosition): boolean => consumer === witnessName
  const { inbox } = tx
  return {
    ...tx,
    inbox: {
      find: inbox.find,
      insert: (row) => (isOfWitness(row) ? putOff((later) => later.inbox.insert(row)) : inbox.insert(row)),
      update: (row) =>
        isOfWitness(row) ? putOff((later) => void later.inbox.find(row).map(() => later.inbox.update(row))) : inbox.update(row),
    },
  }
}

function stayingAtDeadLetters(tx: Transaction): Transaction {
  const { deadLetters, inbox } = tx
  let isSetAside = false
  return {
    ...tx,
    deadLetters: {
      ...deadLetters,
      insert: (row) => {
        isSetAside = true
        deadLetters.insert(row)
      },
    },
    inbox: {
      find: inbox.find,
      insert: (row) => (isSetAside ? undefined : inbox.insert(row)),
      update: (row) => (isSetAside ? undefined : inbox.update(row)),
    },
  }
}
