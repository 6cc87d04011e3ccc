import { okAsync } from 'neverthrow'
import type { ApiKey, AuthenticateApiKey } from '../../access/index.ts'
import type { Transaction } from '../../transaction.ts'
import { changingUnits } from './mutant-units.ts'
import type { Mutant } from './mutants.ts'

/** In API keys. */
export const plantedKeyBugs: readonly Mutant[] = [
  {
    name: 'keeps what it has read of an API key for good',
    law: 'L18',
    host: (ports) => {
      const read = new Map<string, ApiKey>()
      const apiKey: typeof ports.apiKeyStore.apiKey = (id) => {
        const known = read.get(id)
        if (known !== undefined) return okAsync(known)
        return ports.apiKeyStore.apiKey(id).map((found) => {
          if (found !== null) read.set(id, found)
          return found
        })
      }
      return { ...ports, apiKeyStore: { ...ports.apiKeyStore, apiKey } }
    },
  },
  {
    name: 'ends the secret in use when an API key is rotated',
    law: 'L18',
    host: (ports) => changingUnits(ports, (tx) => updating(tx, (key) => ({ ...key, secrets: key.secrets.slice(0, 1) }))),
  },
  {
    name: 'says that an API key is revoked, and forgets to write it',
    law: 'L18',
    host: (ports) => changingUnits(ports, (tx) => updating(tx, (key) => ({ ...key, revokedAt: null }))),
  },
  {
    name: 'remembers for five minutes whom it has admitted',
    law: 'L18',
    core: (core, { clock }) => {
      const admitted = new Map<string, Readonly<{ outcome: Awaited<ReturnType<AuthenticateApiKey>>; until: number }>>()
      const authenticateApiKey: AuthenticateApiKey = async (text, isFrom) => {
        const known = admitted.get(text)
        if (known !== undefined && clock.now() < known.until) return known.outcome
        const outcome = await core.access.authenticateApiKey(text, isFrom)
        if (!('kind' in outcome)) admitted.set(text, { outcome, until: clock.now() + 300_000 })
        return outcome
      }
      return { ...core, access: { ...core.access, authenticateApiKey } }
    },
  },
]

function updating(tx: Transaction, change: (key: ApiKey) => ApiKey): Transaction {
  return { ...tx, apiKeys: { ...tx.apiKeys, update: (row) => tx.apiKeys.update(change(row)) } }
}
