import { type HistoryEntry, type Payment, timestamp, type Verification } from '@cbp/core'

type Body = Readonly<Record<string, unknown>>

/** The wire form of a payment; the command line prints the same. Its instruction to the Payment Service stays inside. */
export function paymentBody(payment: Payment): Body {
  return {
    id: payment.id,
    client: payment.client,
    status: payment.status,
    amount: payment.amount,
    currency: payment.currency,
    payee: { id: payment.payee.id, name: payment.payee.name },
    userId: payment.userId,
    reference: payment.reference,
    metadata: payment.metadata,
    version: payment.version,
    createdAt: timestamp(payment.createdAt),
    updatedAt: timestamp(payment.updatedAt),
    failure: payment.failure,
    remoteReference: payment.remoteReference,
  }
}

export function paymentStatusBody({ id, status, version, updatedAt }: Payment): Body {
  return { id, status, version, updatedAt: timestamp(updatedAt) }
}

/** One line of a payment's history. */
export function historyBody(entry: HistoryEntry): Body {
  return {
    number: entry.number,
    kind: entry.kind,
    from: entry.from,
    to: entry.to,
    version: entry.version,
    actor: entry.actor,
    cause: entry.cause,
    detail: entry.detail,
    requestId: entry.requestId,
    recordedAt: timestamp(entry.recordedAt),
  }
}

export function verificationBody({ payment, verified, remote, discrepancies }: Verification): Body {
  return {
    id: payment.id,
    verified,
    status: payment.status,
    remoteStatus: remote?.status ?? null,
    discrepancies: discrepancies.map(({ kind, ours, theirs, openedAt }) => ({ kind, ours, theirs, openedAt: timestamp(openedAt) })),
  }
}
