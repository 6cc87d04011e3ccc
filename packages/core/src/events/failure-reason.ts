import { maskText } from '../kernel/masking.ts'
import { storableText } from '../kernel/storable-text.ts'

const longestReason = 1000

/** Why an event could not be applied, as a dead letter keeps it: without secrets that an error may have quoted. */
export function failureReason(reason: string): string {
  return storableText(maskText(storableText(reason, longestReason)), longestReason)
}

/** A throw is a defect; what was thrown may be anything. */
export function defectReason(defect: unknown): string {
  return failureReason(`a defect: ${defect instanceof Error ? defect.message : String(defect)}`)
}
