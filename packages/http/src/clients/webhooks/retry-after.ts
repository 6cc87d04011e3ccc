const imfFixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
const rfc850Date = /^[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/
const asctimeDate = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/**
 * How long a Retry-After field asks to wait (RFC 9110, 10.2.3, with the date forms of 5.6.7), in ms; 0 for a date that is
 * past, `null` for what is neither form.
 *
 * @param now epoch ms
 */
export function retryAfterMs(value: string, now: number): number | null {
  const text = value.trim()
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, Number.MAX_SAFE_INTEGER)
  const instant = dateOf(text)
  return Number.isNaN(instant) ? null : Math.max(0, instant - now)
}

function dateOf(text: string): number {
  if (imfFixdate.test(text) || rfc850Date.test(text)) return Date.parse(text)
  // Says no zone and means UTC.
  if (asctimeDate.test(text)) return Date.parse(`${text} GMT`)
  return Number.NaN
}
