import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import {
  keyLengthLimit,
  parseComponent,
  parseKey,
  parseScope,
  reservedComponents,
  rootScope,
  type Scope,
  sameAddress,
  scopeChain,
} from './address.ts'
import { anyAddress, anyComponent, anyKey, anyScope } from './testing/arbitraries.ts'

const longest = 'a'.repeat(63)

describe('parseComponent', () => {
  itHolds(
    'takes every component',
    100,
    fc.asyncProperty(anyComponent, async (component) => {
      expect(parseComponent(component)._unsafeUnwrap()).toBe(component)
    }),
  )

  it.each(['payments', 'a', 'a-', 'a1-b', longest])('takes %j', (text) => {
    expect(parseComponent(text).isOk()).toBe(true)
  })

  it.each(['', 'Payments', '1a', '-a', 'a_b', 'a.b', 'a/b', ' a', 'a ', 'a\n', 'é', `${longest}a`, '$schema'])('refuses %j', (text) => {
    expect(parseComponent(text)._unsafeUnwrapErr()).toMatchObject({ pointer: '', code: 'invalid-component' })
  })

  it.each([...reservedComponents])('keeps %j for the paths of the interface', (text) => {
    expect(parseComponent(text)._unsafeUnwrapErr().code).toBe('reserved-component')
  })
})

describe('parseKey', () => {
  itHolds(
    'takes every key',
    100,
    fc.asyncProperty(anyKey, async (key) => {
      expect(parseKey(key)._unsafeUnwrap()).toBe(key)
    }),
  )

  it.each(['retry', 'retry.max-attempts', '1', '0.0', 'a'.repeat(keyLengthLimit)])('takes %j', (text) => {
    expect(parseKey(text).isOk()).toBe(true)
  })

  it.each(['', '.', 'a.', '.a', 'a..b', '-a', 'a-', 'a--b', 'a.-b', 'A', 'a_b', 'a/b', 'a\n', '__proto__', 'a'.repeat(keyLengthLimit + 1)])(
    'refuses %j',
    (text) => {
      expect(parseKey(text)._unsafeUnwrapErr()).toMatchObject({ pointer: '', code: 'invalid-key' })
    },
  )

  it('refuses a long hostile key without trying every split of it', () => {
    expect(parseKey(`${'a-'.repeat(63)}!`).isErr()).toBe(true)
  })
})

describe('parseScope', () => {
  itHolds(
    'takes every scope',
    100,
    fc.asyncProperty(anyScope, async (scope) => {
      expect(parseScope(scope)._unsafeUnwrap()).toBe(scope)
    }),
  )

  it.each(['/', '/a', '/production/first-cu', '/a/b/c/d', `/${longest}/${longest}/${longest}/${longest}`])('takes %j', (text) => {
    expect(parseScope(text).isOk()).toBe(true)
  })

  it.each(['', 'a', '//', '/a/', '/a//b', '/A', '/1', '/a/b/c/d/e', '/a b', '/a\n', `/${longest}a`, '/../a'])('refuses %j', (text) => {
    expect(parseScope(text)._unsafeUnwrapErr()).toMatchObject({ pointer: '', code: 'invalid-scope' })
  })
})

describe('scopeChain', () => {
  it('is the root alone for the root', () => {
    expect(scopeChain(rootScope)).toEqual(['/'])
  })

  it('goes from the root down', () => {
    expect(scopeChain('/a/b/c/d' as Scope)).toEqual(['/', '/a', '/a/b', '/a/b/c', '/a/b/c/d'])
  })

  itHolds(
    'holds scopes only, each above the next, down to the scope itself',
    100,
    fc.asyncProperty(anyScope, async (scope) => {
      const chain = scopeChain(scope)
      expect([chain[0], chain.at(-1)]).toEqual([rootScope, scope])
      for (const [index, each] of chain.entries()) {
        expect(parseScope(each).isOk()).toBe(true)
        expect(scopeChain(each)).toEqual(chain.slice(0, index + 1))
      }
    }),
  )
})

describe('sameAddress', () => {
  itHolds(
    'compares all three names',
    100,
    fc.asyncProperty(anyAddress, anyAddress, async (left, right) => {
      expect(sameAddress(left, { ...left })).toBe(true)
      expect(sameAddress(left, right)).toBe(JSON.stringify(left) === JSON.stringify(right))
      for (const name of ['component', 'key', 'scope'] as const) expect(sameAddress(left, { ...left, [name]: 'other' })).toBe(false)
    }),
  )
})
