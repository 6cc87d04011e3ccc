import type { InputFault } from '../kernel/failures.ts'
import { pointerTo } from '../kernel/json.ts'
import { amountFault, parseCurrency } from './money.ts'
import type { PaymentDetails } from './payment.ts'
import type { PaymentAmendment } from './payments-service.ts'

/** Lengths are in UTF-16 code units, as JSON Schema validators in JavaScript and SQL columns count them. */
export const paymentLimits: Readonly<{
  payeeId: number
  payeeName: number
  userId: number
  reference: number
  metadataMembers: number
  metadataValue: number
}> = { payeeId: 128, payeeName: 200, userId: 128, reference: 128, metadataMembers: 20, metadataValue: 500 }

export const metadataNamePattern: RegExp = /^[a-z][a-z0-9_.-]{0,39}$/

/** Text that is shown and stored: no control characters (Unicode category Cc), so no line breaks either. */
export const plainTextPattern: RegExp = /^\P{Cc}*$/u
const somethingVisible = /[^\p{C}\p{Z}]/u

/** Only the members that a payment has, whatever else came with them. */
export function detailsOf({ amount, currency, payee: { id, name }, userId, reference, metadata }: PaymentDetails): PaymentDetails {
  return { amount, currency, payee: { id, name }, userId, reference, metadata: { ...metadata } }
}

/** Every fault of the members that are there; pointers go into the details. */
export function paymentFaults(details: Partial<PaymentDetails> | PaymentAmendment): readonly InputFault[] {
  const { amount, currency, payee, userId, reference, metadata }: Partial<PaymentDetails> = details
  const faults: InputFault[] = []
  const note = (pointer: string, fault: InputFault | null): void => {
    if (fault !== null) faults.push({ ...fault, pointer })
  }
  if (amount !== undefined) note('/amount', amountFault(amount))
  if (currency !== undefined) {
    const parsed = parseCurrency(currency)
    note('/currency', parsed.isErr() ? parsed.error : null)
  }
  if (payee !== undefined) {
    note('/payee/id', nameFault(payee.id, paymentLimits.payeeId))
    note('/payee/name', nameFault(payee.name, paymentLimits.payeeName))
  }
  if (userId !== undefined) note('/userId', nameFault(userId, paymentLimits.userId))
  if (reference !== undefined && reference !== null) note('/reference', nameFault(reference, paymentLimits.reference))
  if (metadata !== undefined) noteMetadata(metadata, note)
  return faults
}

function noteMetadata(metadata: PaymentDetails['metadata'], note: (pointer: string, fault: InputFault | null) => void): void {
  const names = Object.keys(metadata)
  if (names.length > paymentLimits.metadataMembers) {
    note('/metadata', faultOf('too-many-members', `Metadata has at most ${paymentLimits.metadataMembers} members.`))
  }
  for (const name of names) {
    const pointer = pointerTo('/metadata', name)
    if (!metadataNamePattern.test(name)) {
      const message = 'A name in the metadata is a lower-case letter, then up to 39 lower-case letters, digits, "_", "." or "-".'
      note(pointer, faultOf('invalid-name', message))
    }
    note(pointer, textFault(metadata[name] as string, paymentLimits.metadataValue))
  }
}

/** A name that a person or a system recognises, so there must be something to see. */
function nameFault(text: string, limit: number): InputFault | null {
  const fault = textFault(text, limit)
  if (fault !== null || somethingVisible.test(text)) return fault
  return faultOf('blank', 'There must be at least one visible character.')
}

function textFault(text: string, limit: number): InputFault | null {
  if (text.length > limit) return faultOf('too-long', `At most ${limit} characters.`)
  if (!text.isWellFormed()) return faultOf('malformed-text', 'The text is no well-formed Unicode: it contains half a surrogate pair.')
  return plainTextPattern.test(text) ? null : faultOf('control-character', 'The text contains a control character.')
}

function faultOf(code: string, message: string): InputFault {
  return { pointer: '', code, message }
}
