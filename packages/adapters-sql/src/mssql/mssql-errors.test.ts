import { describe, expect, it } from 'vitest'
import { attemptFailure, failureOf, isTransactionCount } from './mssql-errors.ts'

function raised(...numbers: readonly number[]): Error {
  const errors = numbers.map((number) => Object.assign(new Error('text of the server: secret'), { code: 'EREQUEST', number }))
  return errors.length === 1 ? (errors[0] as Error) : new AggregateError(errors)
}

function broken(code: string): Error {
  return Object.assign(new Error('socket of 10.0.0.1'), { code })
}

describe('errors of SQL Server', () => {
  it.each([2601, 2627])('take %d for a key that is taken', (number) => {
    expect(attemptFailure(raised(number), true)).toMatchObject({ kind: 'contended' })
  })

  it.each([1205, 1222, 3960, 3961, 50_002])('take %d for another unit in the way, also after the flush was sent', (number) => {
    expect(attemptFailure(raised(number), true)).toMatchObject({ kind: 'contended' })
    expect(attemptFailure(raised(number), false)).toMatchObject({ kind: 'contended' })
  })

  it.each([
    20, 64, 121, 233, 617, 669, 701, 802, 921, 976, 983, 997, 1203, 1204, 1221, 3966, 4060, 6005, 8628, 8645, 10_053, 10_922, 10_928,
    10_929, 10_936, 18_401, 40_197, 40_501, 40_613, 41_839, 49_918,
  ])('try again after %d, but ask first once a COMMIT was sent', (number) => {
    expect(attemptFailure(raised(number), false)).toMatchObject({ kind: 'contended' })
    expect(attemptFailure(raised(number), true)).toMatchObject({ kind: 'outcome-unknown' })
  })

  it.each(['ETIMEOUT', 'ESOCKET', 'ECLOSE', 'EINVALIDSTATE'])('do not know the outcome when %s ends a flush', (code) => {
    expect(attemptFailure(broken(code), true)).toMatchObject({ kind: 'outcome-unknown' })
    expect(attemptFailure(broken(code), false)).toMatchObject({ kind: 'contended' })
  })

  it('say how to mend what no retry mends, and nothing that the server said', () => {
    const failure = attemptFailure(raised(9002), true)
    expect(failure).toMatchObject({ kind: 'store-unavailable', reason: expect.stringContaining('log is full') })
    expect(JSON.stringify([failure, failureOf(raised(99)), failureOf(broken('ESOCKET'))])).not.toMatch(/secret|10\.0/)
  })

  it('tell who waits in vain for the migrations of another instance what to do', () => {
    expect(failureOf(raised(50_003))).toMatchObject({ kind: 'in-the-way', reason: expect.stringContaining('another instance') })
  })

  it('look at every error of a batch', () => {
    expect(failureOf(raised(3621, 2627))).toMatchObject({ kind: 'duplicate' })
  })

  it('throw on what the driver did not raise, and what only a defect can cause', () => {
    expect(() => attemptFailure(new TypeError('defect'), false)).toThrow('defect')
    expect(() => attemptFailure(raised(50_001), true)).toThrow()
    expect(failureOf('defect')).toBeNull()
  })

  it('tell a transaction that spans requests from an error', () => {
    expect(isTransactionCount(raised(266))).toBe(true)
    expect(isTransactionCount(raised(266, 1205))).toBe(false)
    expect(isTransactionCount(broken('ESOCKET'))).toBe(false)
  })
})
