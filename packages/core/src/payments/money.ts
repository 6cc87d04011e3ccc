import { err, ok, type Result } from 'neverthrow'
import type { Brand } from '../kernel/brand.ts'
import type { InputFault } from '../kernel/failures.ts'

/** An active ISO 4217 alphabetic code. */
export type Currency = Brand<string, 'Currency'>

/**
 * The currencies in which somebody can be paid: ISO 4217 list one as of 2026, without funds codes, metals, units of
 * account, and the codes for tests and for no currency.
 */
export const currencies: readonly Currency[] = `
  AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC
  CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR
  ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
  MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE
  SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF
  XPF YER ZAR ZMW ZWG`
  .trim()
  .split(/\s+/)
  .map((code) => code as Currency)

const known: ReadonlySet<string> = new Set(currencies)

/** The largest amount of one payment, in the currency's minor unit. */
export const amountLimit = 999_999_999_999

export function parseCurrency(text: string): Result<Currency, InputFault> {
  if (known.has(text)) return ok(text as Currency)
  return err({
    pointer: '',
    code: 'unknown-currency',
    message: 'A currency is an active ISO 4217 code of three capital letters, e.g. "EUR".',
  })
}

/** `null` where the amount can be paid. */
export function amountFault(amount: number): InputFault | null {
  if (Number.isInteger(amount) && amount >= 1 && amount <= amountLimit) return null
  const message = `An amount is a whole number of the currency's minor unit, from 1 to ${amountLimit}.`
  return { pointer: '', code: 'invalid-amount', message }
}
