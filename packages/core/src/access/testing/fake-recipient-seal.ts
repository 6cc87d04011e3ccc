import { errAsync, okAsync } from 'neverthrow'
import type { RecipientSeal } from '../ports/recipient-seal.ts'

/** Takes keys of the type EC, and seals so that tests can look inside: `sealed for <kid>: <secret>`. */
export function fakeRecipientSeal(): RecipientSeal {
  return {
    seal: ({ kty, kid }, secret) => {
      if (kty !== 'EC') return errAsync({ kind: 'unusable-recipient', reason: 'it is no EC key' })
      return okAsync(`sealed for ${typeof kid === 'string' ? kid : 'nobody'}: ${secret.reveal()}`)
    },
  }
}
