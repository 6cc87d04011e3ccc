import { describe, expect, it } from 'vitest'
import { coalesce } from './coalesce.ts'

describe('coalesce', () => {
  it('gathers what is asked for while a batch is under way into the next one', async () => {
    const batches: (readonly number[])[] = []
    const add = coalesce(async (batch: readonly number[]) => {
      batches.push(batch)
      await Promise.resolve()
      return batch.length
    })
    const first = add(1)
    while (batches.length === 0) await Promise.resolve()
    const sizes = await Promise.all([first, add(2), add(3)])
    expect(batches).toEqual([[1], [2, 3]])
    expect(sizes).toEqual([1, 2, 2])
  })

  it('goes on after a batch that failed', async () => {
    let isFirst = true
    const add = coalesce(async (batch: readonly number[]) => {
      if (!isFirst) return batch.length
      isFirst = false
      throw new Error('a defect')
    })
    await expect(add(1)).rejects.toThrow('a defect')
    expect(await add(2)).toBe(1)
  })

  it('begins at once when nothing is under way', async () => {
    const add = coalesce(async (batch: readonly string[]) => batch.join())
    expect(await add('a')).toBe('a')
    expect(await add('b')).toBe('b')
  })
})
