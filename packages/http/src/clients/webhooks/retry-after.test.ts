import { describe, expect, it } from 'vitest'
import { retryAfterMs } from './retry-after.ts'

const now = Date.UTC(1994, 10, 6, 8, 49, 0)

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['99999999999999999999', Number.MAX_SAFE_INTEGER],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
    ['Sun Nov  6 08:49:37 1994', 37_000],
    ['Sun, 06 Nov 1994 08:48:37 GMT', 0],
  ])('%j is understood', (value, waitMs) => {
    expect(retryAfterMs(value, now)).toBe(waitMs)
  })

  it.each(['', '-1', '1.5', '1e3', 'soon', '1994-11-06', 'Sun, 06 Nov 1994 08:49:37 PST', 'Sun, 99 Nov 1994 08:49:37 GMT'])(
    '%j says nothing',
    (value) => {
      expect(retryAfterMs(value, now)).toBeNull()
    },
  )
})
