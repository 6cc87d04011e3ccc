import { err, errAsync, ok, type Result, ResultAsync } from 'neverthrow'
import type { ConsumerDefinition, Delivery, EventNotApplicable, SequencedEvent, Stream } from '../../events/index.ts'
import type { StoreUnavailable } from '../../kernel/failures.ts'
import type { PaymentId } from '../../payments/index.ts'
import type { Transaction } from '../../transaction.ts'

export const witnessName = 'witness'

/** Notes each event that it applies, in the store and in order: a note is a line of a history that no payment has. */
export function witness(isPoisoned: (event: SequencedEvent) => boolean): ConsumerDefinition {
  return {
    name: witnessName,
    topics: ['#'],
    apply: (tx, delivery) =>
      isPoisoned(delivery)
        ? errAsync({ kind: 'event-not-applicable', reason: 'injected: cannot be applied' })
        : new ResultAsync(note(tx, delivery)),
  }
}

async function note(
  tx: Transaction,
  { id, stream, sequence, replayed }: Delivery,
): Promise<Result<void, EventNotApplicable | StoreUnavailable>> {
  const counter = { consumer: 'notes of the witness', stream }
  const counted = await tx.inbox.find(counter)
  if (counted.isErr()) return err(counted.error)
  const number = (counted.value?.sequence ?? 0) + 1
  const position = { ...counter, sequence: number, failures: 0 }
  if (counted.value === null) tx.inbox.insert(position)
  else tx.inbox.update(position)
  tx.paymentHistory.insert({
    paymentId: notesOf(stream),
    number,
    kind: 'ignored',
    from: null,
    to: 'PENDING',
    version: sequence,
    actor: id,
    cause: 'request',
    detail: replayed ? 'replayed' : null,
    requestId: null,
    recordedAt: 0,
  })
  return ok()
}

/** Under which name the notes about a stream are kept. */
export function notesOf(stream: Stream): PaymentId {
  return `notes about ${stream}` as PaymentId
}
