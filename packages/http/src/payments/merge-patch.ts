import type { Currency, Payment, PaymentAmendment } from '@cbp/core'
import type { PaymentPatch } from './schemas.ts'

/** What a merge patch (RFC 7396) makes of a payment: of an object in it only the members that it names. */
export function mergePatch(payment: Payment, { amount, currency, payee, metadata }: PaymentPatch): PaymentAmendment {
  return {
    ...(amount === undefined ? {} : { amount }),
    ...(currency === undefined ? {} : { currency: currency as Currency }),
    ...(payee === undefined ? {} : { payee: { id: payee.id ?? payment.payee.id, name: payee.name ?? payment.payee.name } }),
    ...(metadata === undefined ? {} : { metadata: mergeMembers(payment.metadata, metadata) }),
  }
}

function mergeMembers(
  before: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>> | null,
): Readonly<Record<string, string>> {
  const members = Object.entries({ ...(patch === null ? {} : before), ...patch })
  return Object.fromEntries(members.filter((member): member is [string, string] => member[1] !== null))
}
