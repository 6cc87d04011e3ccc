/**
 * How many digits of an amount are the minor unit's, by ISO 4217 (list one). Not from `Intl`, which goes by CLDR and
 * takes none for, e.g., IDR, HUF and COP: a hundred times the amount.
 */
const digitsOtherThanTwo: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
}
const digitsByCurrency: ReadonlyMap<string, number> = new Map(
  Object.entries(digitsOtherThanTwo).flatMap(([digits, currencies]) =>
    currencies.split(' ').map((each) => [each, Number(digits)] as const),
  ),
)

/** An amount for people, in major units and exact: `EUR 1,234.50` for 123450. */
export function moneyText(minorUnits: number, currency: string): string {
  const digits = digitsByCurrency.get(currency) ?? 2
  const whole = String(minorUnits).padStart(digits + 1, '0')
  const at = whole.length - digits
  const major = digits === 0 ? whole : `${whole.slice(0, at)}.${whole.slice(at)}`
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  // As a decimal text it passes through no double.
  return `${currency} ${format.format(major as Intl.StringNumericLiteral)}`
}
