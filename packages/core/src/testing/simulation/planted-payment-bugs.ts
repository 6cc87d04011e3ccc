import { okAsync, type ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { IdempotencyRecord, Payment, PaymentService, RemotePayment } from '../../payments/index.ts'
import type { Ports } from '../../ports.ts'
import type { Transaction } from '../../transaction.ts'
import type { SignedMessage } from '../../webhooks/index.ts'
import { sign } from '../../webhooks/signature.ts'
import { cheapMac } from './cheap-secrets.ts'
import { changingUnits, writingAfterwards, writingBeforehand } from './mutant-units.ts'
import type { Mutant } from './mutants.ts'
import { serviceSecret } from './service-sender.ts'

/** In payments, their keys, and what the Payment Service tells. */
export const plantedPaymentBugs: readonly Mutant[] = [
  {
    name: 'sends each instruction under an attempt id of its own',
    law: 'L10',
    paymentService: (service, { ids }) => ({
      ...service,
      instruct: (instruction) => service.instruct({ ...instruction, attemptId: ids.next() }),
    }),
  },
  {
    name: 'sends what is not known yet again under another attempt id',
    law: 'L10',
    paymentService: (service, { ids }) => {
      const unknown = new Set<string>()
      return {
        find: (attemptId) =>
          service.find(attemptId).map((found) => {
            if (found === null) unknown.add(attemptId)
            return found
          }),
        instruct: (instruction) =>
          service.instruct(unknown.has(instruction.attemptId) ? { ...instruction, attemptId: ids.next() } : instruction),
      }
    },
  },
  {
    name: 'takes a time-out for a failure',
    law: 'L9',
    paymentService: (service) => ({
      ...service,
      instruct: (instruction) =>
        service
          .instruct(instruction)
          .mapErr((failure) =>
            failure.kind === 'payment-service-unavailable' ? { kind: 'instruction-refused', reason: 'no answer' } : failure,
          ),
    }),
  },
  {
    name: 'fails an attempt that is not known yet, before its deadline',
    law: 'L9',
    host: (ports) => ({ ...ports, paymentService: { ...ports.paymentService, find: (attemptId) => assumedFailed(ports, attemptId) } }),
  },
  {
    name: 'keeps a key in a second unit after the payment',
    law: 'L10',
    host: (ports) =>
      writingAfterwards(ports, (tx, putOff) => ({
        ...tx,
        idempotencyKeys: { ...tx.idempotencyKeys, insert: (row) => putOff((later) => later.idempotencyKeys.insert(row)) },
      })),
  },
  {
    name: 'renders a kept answer anew',
    law: 'L10',
    host: (ports) =>
      changingUnits(ports, (tx) => ({ ...tx, idempotencyKeys: { ...tx.idempotencyKeys, find: (key) => renderedAnew(tx, key) } })),
  },
  {
    name: 'takes the body for a part of the key',
    law: 'L10',
    host: (ports) =>
      changingUnits(ports, (tx) => ({
        ...tx,
        idempotencyKeys: {
          ...tx.idempotencyKeys,
          insert: (row) => tx.idempotencyKeys.insert({ ...row, key: `${row.key} ${row.fingerprint}` }),
        },
      })),
  },
  {
    name: 'lets a late success overwrite a failure',
    law: 'L8',
    host: (ports) =>
      changingUnits(ports, (tx) => ({ ...tx, payments: { ...tx.payments, find: (key) => tx.payments.find(key).map(reopened) } })),
  },
  {
    name: 'keeps quiet about a success after a failure',
    law: 'L9',
    host: (ports) => changingUnits(ports, (tx) => ({ ...tx, discrepancies: { ...tx.discrepancies, insert: () => {}, update: () => {} } })),
  },
  {
    name: 'publishes nothing of a cancellation',
    law: 'L11',
    host: (ports) =>
      changingUnits(ports, (tx) => ({
        ...tx,
        outbox: { append: (draft) => (draft.event.type === 'PAYMENT_DELETED' ? undefined : tx.outbox.append(draft)) },
      })),
  },
  {
    name: 'takes any signature',
    law: 'L16',
    host: (ports) => ({ ...ports, mac: { ...ports.mac, equal: () => true } }),
  },
  {
    name: 'does not look at the time of a message',
    law: 'L16',
    core: (core, { clock }) => ({
      ...core,
      webhooks: {
        ...core.webhooks,
        receivePaymentStatus: (message, caller) => core.webhooks.receivePaymentStatus(restamped(message, clock.now()), caller),
      },
    }),
  },
  {
    name: 'does not keep the ids of messages',
    law: 'L16',
    host: (ports) => changingUnits(ports, (tx) => ({ ...tx, receivedWebhooks: { ...tx.receivedWebhooks, insert: () => {} } })),
  },
  {
    name: 'keeps the id of a message in a second unit after its effect',
    law: 'L16',
    host: (ports) => writingAfterwards(ports, withoutMessageIds),
  },
  {
    name: 'keeps the id of a message in a unit of its own before its effect',
    law: 'L16',
    host: (ports) => writingBeforehand(ports, withoutMessageIds),
  },
]

const everyPayment = { client: null, status: null, userId: null, from: null, to: null }

function assumedFailed({ paymentService, paymentStore }: Ports, attemptId: Uuid): ReturnType<PaymentService['find']> {
  return paymentService.find(attemptId).andThen((found) => {
    if (found !== null) return okAsync(found)
    return paymentStore
      .payments(everyPayment, null, 1000)
      .map((all) => all.find(({ attempt }) => attempt?.id === attemptId) ?? null)
      .map((payment): RemotePayment | null => {
        if (payment === null) return null
        const { id: paymentId, amount, currency } = payment
        return { attemptId, paymentId, status: 'FAILED', amount, currency, reference: null, reason: 'not known' }
      })
      .mapErr(({ reason }) => ({ kind: 'payment-service-unavailable' as const, sent: false, reason }))
  })
}

type Key = Pick<IdempotencyRecord, 'client' | 'operation' | 'key'>

function renderedAnew(tx: Transaction, key: Key): ResultAsync<IdempotencyRecord | null, StoreUnavailable> {
  return tx.idempotencyKeys.find(key).andThen((record) => {
    if (record === null || record.answer === null) return okAsync(record)
    return tx.payments.find({ id: record.paymentId }).map((payment) => ({ ...record, answer: rendered(payment) }))
  })
}

function rendered(payment: Payment | null): string {
  if (payment === null) return '{}'
  const { id, version, status, amount } = payment
  return JSON.stringify({ id, version, status, amount, requestId: 'again' })
}

function reopened(payment: Payment | null): Payment | null {
  return payment?.status === 'FAILED' ? { ...payment, status: 'UNKNOWN' } : payment
}

/** Under its own signature, if it has one, but as if it were new. */
function restamped(message: SignedMessage, now: number): SignedMessage {
  const { id, timestamp, signature, body } = message
  if (id === null || timestamp === null || signature !== sign(cheapMac, serviceSecret, id, Number(timestamp), body)) return message
  const seconds = Math.floor(now / 1000)
  return { id, timestamp: String(seconds), signature: sign(cheapMac, serviceSecret, id, seconds, body), body }
}

function withoutMessageIds(tx: Transaction, putOff: (write: (later: Transaction) => void) => void): Transaction {
  return {
    ...tx,
    receivedWebhooks: { ...tx.receivedWebhooks, insert: (row) => putOff((later) => later.receivedWebhooks.insert(row)) },
  }
}
