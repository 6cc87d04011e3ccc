import { currencies } from '@cbp/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { moneyText } from './money.ts'

it.each([
  [1250, 'EUR', 'EUR 12.50'],
  [5, 'EUR', 'EUR 0.05'],
  [500, 'JPY', 'JPY 500'],
  [1234567, 'KWD', 'KWD 1,234.567'],
  // CLDR takes no digits for these; ISO 4217 has two.
  [150000, 'IDR', 'IDR 1,500.00'],
  [99, 'HUF', 'HUF 0.99'],
  [9007199254740991, 'EUR', 'EUR 90,071,992,547,409.91'],
])('shows %i minor units of %s as %s', (amount, currency, text) => {
  expect(moneyText(amount, currency)).toBe(text)
})

it('loses no digit of any amount in any currency', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.constantFrom(...currencies), (amount, currency) => {
      expect(Number(moneyText(amount, currency).replace(/\D/g, ''))).toBe(amount)
    }),
  )
})
