import { describe, expect, it } from 'vitest'
import { serverTraits } from './server-traits.ts'

const plain = { isLockless: false, hasSnapshots: false, hasReadCommittedSnapshots: false }

describe('what a server needs around statements', () => {
  it('is nothing around a single query where every query has a snapshot of its own', () => {
    expect(serverTraits({ ...plain, hasReadCommittedSnapshots: true }).aroundQuery).toEqual(['', ''])
  })

  it('is SNAPSHOT isolation where the database allows it', () => {
    const { aroundQuery, aroundQueries } = serverTraits({ ...plain, hasSnapshots: true })
    expect(aroundQuery[0]).toContain('SNAPSHOT')
    expect(aroundQueries[0]).toContain('SNAPSHOT')
  })

  it('is a shared lock on the head where it does not', () => {
    const { aroundQuery, aroundQueries, hasSnapshots } = serverTraits(plain)
    expect(aroundQuery[0]).toContain('store_head WITH (HOLDLOCK')
    expect(aroundQueries[0]).toContain('store_head WITH (HOLDLOCK')
    expect(hasSnapshots).toBe(false)
  })

  it('is READ COMMITTED for units of work, and SERIALIZABLE only where SELECT takes no lock', () => {
    expect(serverTraits(plain).begin).toContain('READ COMMITTED')
    expect(serverTraits({ ...plain, isLockless: true }).begin).toContain('SERIALIZABLE')
  })
})
