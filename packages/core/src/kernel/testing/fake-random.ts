import type { Random } from '../random.ts'

/** SplitMix32: small, fast, and the same in every run for one seed. */
export function fakeRandom(seed: number): Random {
  let state = seed | 0
  return {
    fraction(): number {
      state = (state + 0x9e3779b9) | 0
      let mixed = state ^ (state >>> 16)
      mixed = Math.imul(mixed, 0x21f0aaad)
      mixed ^= mixed >>> 15
      mixed = Math.imul(mixed, 0x735a2d97)
      mixed ^= mixed >>> 15
      return (mixed >>> 0) / 0x1_0000_0000
    },
  }
}
