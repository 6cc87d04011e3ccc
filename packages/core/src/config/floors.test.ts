import { describe, expect, it } from 'vitest'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { Component, ConfigKey } from './address.ts'
import { floors } from './floors.ts'

const component = 'payments' as Component
const key = (name: string): ConfigKey => name as ConfigKey
const revision = (number: number): Revision => number as Revision

describe('floors', () => {
  it('never falls', () => {
    const known = floors(10)
    known.raise(component, key('a'), revision(5))
    known.raise(component, key('a'), revision(3))
    expect(known.of(component, key('a'))).toBe(5)
  })

  it('counts the floor for all where it is higher', () => {
    const known = floors(10)
    known.raise(component, key('a'), revision(5))
    known.raiseAll(revision(7))
    expect([known.of(component, key('a')), known.of(component, key('b'))]).toEqual([7, 7])
  })

  it('L7: forgets the oldest beyond its capacity only by raising the floor for all', () => {
    const known = floors(2)
    known.raise(component, key('a'), revision(5))
    known.raise(component, key('b'), revision(6))
    known.raise(component, key('c'), revision(7))
    expect(['a', 'b', 'c', 'd'].map((name) => known.of(component, key(name)))).toEqual([5, 6, 7, 5])
  })
})
