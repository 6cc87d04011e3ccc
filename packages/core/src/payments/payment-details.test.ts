import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import type { Currency } from './money.ts'
import { paymentFaults } from './payment-details.ts'
import { anyPaymentDetails } from './testing/arbitraries.ts'
import { details } from './testing/payments-under-test.ts'

describe('paymentFaults', () => {
  itHolds(
    'finds nothing wrong with any payment that is within the limits',
    200,
    fc.asyncProperty(anyPaymentDetails, async (given) => {
      expect(paymentFaults(given)).toEqual([])
    }),
  )

  it.each([0, -1, 1.5, 1_000_000_000_000, Number.NaN, Number.POSITIVE_INFINITY])('refuses the amount %d', (amount) => {
    expect(paymentFaults({ ...details, amount })).toMatchObject([{ pointer: '/amount', code: 'invalid-amount' }])
  })

  it.each([
    ['/currency', 'unknown-currency', { currency: 'XXX' as Currency }],
    ['/payee/id', 'blank', { payee: { id: '', name: 'x' } }],
    ['/payee/id', 'too-long', { payee: { id: 'x'.repeat(129), name: 'x' } }],
    ['/payee/name', 'blank', { payee: { id: 'x', name: ' \u200b\u3000' } }],
    ['/payee/name', 'too-long', { payee: { id: 'x', name: 'x'.repeat(201) } }],
    ['/payee/name', 'control-character', { payee: { id: 'x', name: 'a\nb' } }],
    ['/userId', 'control-character', { userId: 'a\u0085' }],
    ['/userId', 'malformed-text', { userId: 'a\ud800' }],
    ['/reference', 'blank', { reference: '' }],
    ['/reference', 'too-long', { reference: 'x'.repeat(129) }],
    ['/metadata/Name', 'invalid-name', { metadata: { Name: '' } }],
    ['/metadata/a~1b', 'invalid-name', { metadata: { 'a/b': '' } }],
    ['/metadata/a', 'too-long', { metadata: { a: 'x'.repeat(501) } }],
    ['/metadata/a', 'control-character', { metadata: { a: '\0' } }],
    ['/metadata', 'too-many-members', { metadata: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`a${index}`, ''])) }],
  ])('points at %s for %s', (pointer, code, given) => {
    expect(paymentFaults({ ...details, ...given })).toMatchObject([{ pointer, code }])
  })

  it('names every fault at once, and nothing that is left out', () => {
    const faults = paymentFaults({ amount: 0, metadata: { B: '\n' } })
    expect(faults.map(({ pointer }) => pointer)).toEqual(['/amount', '/metadata/B', '/metadata/B'])
  })
})
