import type { Random } from '@cbp/core'

/** The epoch of a store that has just been made. */
export function newEpoch(random: Random): string {
  const digits = '0123456789abcdefghijklmnopqrstuvwxyz'
  return Array.from({ length: 8 }, () => digits[Math.floor(random.fraction() * digits.length)]).join('')
}
