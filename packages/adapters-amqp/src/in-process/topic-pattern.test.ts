import { itHolds, topicMatches } from '@cbp/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesTopic } from './topic-pattern.ts'

describe('matchesTopic', () => {
  it.each([
    ['#', 'config.updated', true],
    ['*', 'config.updated', false],
    ['*.*', 'config.updated', true],
    ['config.*', 'config.updated', true],
    ['config.*', 'config', false],
    ['config.#', 'config', true],
    ['config.#.updated', 'config.updated', true],
    ['config.*.updated', 'config.updated', false],
    ['#.#', 'config.updated', true],
    ['conf', 'config', false],
    ['config.updated.now', 'config.updated', false],
  ])('matches %s with %s: %s', (pattern, key, expected) => {
    expect(matchesTopic(pattern, key)).toBe(expected)
  })

  const anyWords = (...words: readonly string[]): fc.Arbitrary<string> =>
    fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 }).map((each) => each.join('.'))

  itHolds(
    'agrees with a naive matcher',
    500,
    fc.asyncProperty(anyWords('a', 'b', '*', '#'), anyWords('a', 'b', 'c'), async (pattern, key) => {
      expect(matchesTopic(pattern, key)).toBe(topicMatches(pattern, key))
    }),
  )

  it('takes no longer for a pattern of many wildcards', () => {
    expect(matchesTopic(`${'#.'.repeat(200)}x`, 'a.'.repeat(200))).toBe(false)
  })
})
