/**
 * Whether a number is kept as it was meant: it equals its double, or is what the double is written as, or is a fraction
 * that is not small enough to vanish and not large enough to lose its whole part.
 *
 * @param value the 64-bit float (IEEE 754) that `source` was read as
 * @param source a JSON number as it was written (RFC 8259)
 */
export function isNumberKept(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false
  const { digits, exponent } = decimalOf(source)
  if (digits === '') return true
  if (value === 0) return false
  if (exponent < 0 && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return true
  const written = decimalOf(String(value))
  if (written.digits === digits && written.exponent === exponent) return true
  return exponent >= 0 && BigInt(Math.abs(value)) === BigInt(digits) * 10n ** BigInt(exponent)
}

/** The magnitude of a decimal as whole digits, without zeros at either end, and a power of ten; zero has no digits. */
function decimalOf(source: string): Readonly<{ digits: string; exponent: number }> {
  const [mantissa = '', power = '0'] = (source.startsWith('-') ? source.slice(1) : source).toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = (whole + fraction).replace(/^0+/, '')
  let end = all.length
  while (end > 0 && all[end - 1] === '0') end -= 1
  return { digits: all.slice(0, end), exponent: Number(power) - fraction.length + (all.length - end) }
}
