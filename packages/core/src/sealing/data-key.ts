import type { Instant } from '../kernel/clock.ts'
import type { Sealed } from '../kernel/key-ring.ts'

/** What a data key is for: one for each use (NIST SP 800-57, 5.2). */
export type DataKeyPurpose = 'api-key-pepper' | 'audit-chain'

/**
 * 32 random bytes in base64, sealed under `data-key:<purpose>:<version>` (envelope encryption): the key ring's keys can be
 * rotated while what was made with the data key stays as it is.
 */
export type DataKey = Readonly<{ purpose: DataKeyPurpose; version: number; sealed: Sealed; createdAt: Instant }>

export function dataKeyContext({ purpose, version }: Pick<DataKey, 'purpose' | 'version'>): string {
  return `data-key:${purpose}:${version}`
}
