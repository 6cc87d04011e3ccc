import { describe, expect, it } from 'vitest'
import { currencies, parseCurrency } from './money.ts'

describe('parseCurrency', () => {
  it.each(['EUR', 'USD', 'JPY', 'XOF', 'ZWG', 'XCG'])('takes the active code %s', (code) => {
    expect(parseCurrency(code)._unsafeUnwrap()).toBe(code)
  })

  it.each(['eur', 'EURO', '', 'XXX', 'XTS', 'XAU', 'XDR', 'CHE', 'UYI', 'HRK', 'toString', 'EUR '])('refuses %j', (code) => {
    expect(parseCurrency(code)._unsafeUnwrapErr().code).toBe('unknown-currency')
  })

  it('knows each code once, in order', () => {
    expect(currencies).toEqual([...new Set(currencies)].sort())
  })
})
