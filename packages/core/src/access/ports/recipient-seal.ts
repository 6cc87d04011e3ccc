import type { ResultAsync } from 'neverthrow'
import type { JsonObject } from '../../kernel/json.ts'
import type { SecretValue } from '../../kernel/secret-value.ts'

/** It is no public key that something could be sealed to; `reason` never carries the key. */
export type UnusableRecipient = Readonly<{ kind: 'unusable-recipient'; reason: string }>

/**
 * Port: seals a secret so that only one recipient opens it: JWE compact serialisation (RFC 7516) with A256GCM, to a public
 * key in JWK form (RFC 7517), by ECDH-ES+A256KW on P-256, P-384, P-521 or X25519, or by RSA-OAEP-256 from 2048 bits.
 * A key with private or symmetric members is refused.
 */
export interface RecipientSeal {
  seal(recipient: JsonObject, secret: SecretValue): ResultAsync<string, UnusableRecipient>
}
