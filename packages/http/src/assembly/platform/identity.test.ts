import { describe, expect, it } from 'vitest'
import { uuidSource } from './identity.ts'

describe('ids', () => {
  const before = Date.now()
  const ids = Array.from({ length: 10_000 }, () => uuidSource.next())

  it('are UUIDs of version 7 that begin with the time', () => {
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const [first] = ids
    const at = Number.parseInt(first?.replaceAll('-', '').slice(0, 12) ?? '', 16)
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(Date.now() + 1)
  })

  it('rise, also within a millisecond', () => {
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('differ in their random bits', () => {
    expect(new Set(ids.map((id) => id.slice(-8))).size).toBeGreaterThan(9_990)
  })
})
