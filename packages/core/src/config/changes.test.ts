import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { itHolds } from '../kernel/testing/property.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { Component, Scope } from './address.ts'
import {
  type ConfigChange,
  type Cursor,
  everything,
  formatCursor,
  placeCursor,
  select,
  type UnitChanges,
  watchSelection,
} from './changes.ts'
import { anyCursor, anyFewAddress, anyScope, anyWatchSelection } from './testing/arbitraries.ts'

const head: Cursor = { epoch: 'e1', revision: 10 as Revision }

describe('placeCursor', () => {
  itHolds(
    'reads back what was formatted',
    100,
    fc.asyncProperty(anyCursor, async (cursor) => {
      expect(placeCursor(formatCursor(cursor), cursor)._unsafeUnwrap()).toEqual(cursor)
    }),
  )

  it.each([
    ['e1.0', 0],
    ['e1.10', 10],
    ['0', 0],
    ['10', 10],
    ['007', 7],
  ])('places %j at revision %i of this epoch', (text, revision) => {
    expect(placeCursor(text, head)._unsafeUnwrap()).toEqual({ epoch: 'e1', revision })
  })

  it.each(['e1.11', '11', 'e2.1', '1.5', 'e1.999999999999999'])('answers that %j is gone, with the head', (text) => {
    expect(placeCursor(text, head)._unsafeUnwrapErr()).toEqual({ kind: 'cursor-gone', cursor: text, head })
  })

  it.each(['', '.', 'e1.', '.1', '-1', '1.5.2', 'E1.1', 'e1.1x', ' 1', '1\n', '1e3', 'e-1.1', '1'.repeat(16), `${'e'.repeat(33)}.1`])(
    'refuses %j',
    (text) => {
      expect(placeCursor(text, head)._unsafeUnwrapErr()).toEqual({ kind: 'invalid-cursor', cursor: text })
    },
  )
})

describe('watchSelection', () => {
  it('takes a scope and those above it', () => {
    expect(watchSelection(null, '/a/b' as Scope).scopes).toEqual(['/', '/a', '/a/b'])
  })

  it('leaves open what is not named', () => {
    expect(watchSelection('payments' as Component, null)).toEqual({ component: 'payments', scopes: null })
    expect(watchSelection(null, null)).toEqual(everything)
  })
})

const anyUnit: fc.Arbitrary<UnitChanges> = fc
  .array(fc.tuple(anyFewAddress, fc.constantFrom<ConfigChange['op']>('put', 'delete')), { minLength: 1, maxLength: 5 })
  .map((changes) => ({ revision: 1 as Revision, changes: changes.map(([at, op]) => ({ ...at, version: 1, op })) }))

describe('select', () => {
  itHolds(
    'takes exactly the changes that match, in their order, or nothing',
    200,
    fc.asyncProperty(anyUnit, anyWatchSelection, async (unit, selection) => {
      const matching = unit.changes.filter(
        ({ component, scope }) =>
          (selection.component === null || component === selection.component) &&
          (selection.scopes === null || selection.scopes.includes(scope)),
      )
      expect(select(unit, selection)).toEqual(matching.length === 0 ? null : { revision: unit.revision, changes: matching })
    }),
  )

  itHolds(
    'takes what counts at a watched scope, and nothing beside it',
    200,
    fc.asyncProperty(anyUnit, anyScope, async (unit, scope) => {
      const selected = select(unit, watchSelection(null, scope))?.changes ?? []
      const inside = (each: string): boolean => each === '/' || scope === each || scope.startsWith(`${each}/`)
      expect(selected).toEqual(unit.changes.filter((change) => inside(change.scope)))
    }),
  )
})
