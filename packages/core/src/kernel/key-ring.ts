import type { Result } from 'neverthrow'

/** A secret as it may be stored: authenticated ciphertext that names the key it needs. */
export type Sealed = string

/** The ciphertext was changed, belongs to another record, or its key is not on the ring. */
export type CannotUnseal = Readonly<{ kind: 'cannot-unseal'; reason: string }>

/**
 * Port: seals secrets for storage (AES-256-GCM, NIST SP 800-38D). `context` is authenticated with the secret, so that a
 * sealed secret moved to another record does not open there. Errors never carry the secret or the ciphertext.
 */
export interface KeyRing {
  seal(secret: string, context: string): Sealed
  unseal(sealed: Sealed, context: string): Result<string, CannotUnseal>
  /** Whether it was sealed with the key that seals now; says nothing of whether it opens. */
  isCurrent(sealed: Sealed): boolean
}
