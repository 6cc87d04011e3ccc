import type { Brand } from '../kernel/brand.ts'

/** An active ISO 4217 alphabetic code. */
export type Currency = Brand<string, 'Currency'>
