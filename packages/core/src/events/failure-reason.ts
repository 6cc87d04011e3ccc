const longestReason = 1000

/** Why an event could not be applied, so that any store can keep it: not endless, and text throughout. */
export function failureReason(reason: string): string {
  return reason.slice(0, longestReason).toWellFormed().replaceAll('\0', '\uFFFD')
}

/** A throw is a defect; what was thrown may be anything. */
export function defectReason(defect: unknown): string {
  return failureReason(`a defect: ${defect instanceof Error ? defect.message : String(defect)}`)
}
