import type { Clock } from '../kernel/clock.ts'
import type { Digest } from '../kernel/digest.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Mac } from '../kernel/mac.ts'
import type { ApiKeyRefused, AuthenticateApiKey, IsFrom } from './access-service.ts'
import type { Identity } from './identity.ts'
import { keyMac } from './issue-secret.ts'
import { type Found, isUnavailable, type KeyCache, type KnownKey, type KnownSecret } from './key-cache.ts'
import { type DeploymentEnvironment, parseKeyText } from './key-text.ts'

type Dependencies = Readonly<{
  keys: KeyCache
  environment: DeploymentEnvironment
  digest: Digest
  mac: Mac
  clock: Clock
  onUsed: (id: Uuid) => void
}>

type Outcome = Identity | ApiKeyRefused | StoreUnavailable
type Brought = Readonly<{ id: Uuid; secret: string; isFrom: IsFrom }>

export function authenticateApiKey(deps: Dependencies): AuthenticateApiKey {
  return (text, isFrom) => {
    const parsed = parseKeyText(deps.digest, text)
    if (parsed.isErr()) return refused(null, parsed.error === 'malformed' ? 'it has not the form of a key' : 'its checksum does not fit')
    const { environment, id, secret } = parsed.value
    if (environment !== deps.environment) return refused(id, `it belongs to the environment ${environment}`)
    const brought = { id, secret, isFrom }
    const found = deps.keys.find(id)
    return found instanceof Promise ? found.then((key) => decide(deps, key, brought)) : decide(deps, found, brought)
  }
}

function decide(deps: Dependencies, found: Found, brought: Brought): Outcome | Promise<Outcome> {
  if (found === null) return refused(brought.id, 'there is no such key')
  if (isUnavailable(found)) return found
  const secret = matching(deps.mac, found, brought.secret)
  if (secret !== null) return admit(deps, found, secret, brought)
  // It may have been made since the key was read: a new secret is valid everywhere at once (L18).
  const again = found.isRevoked ? null : deps.keys.findAgain(brought.id)
  return again === null ? unknownSecret(brought) : again.then((newer) => decideAgain(deps, newer, brought))
}

function decideAgain(deps: Dependencies, found: Found, brought: Brought): Outcome {
  if (found === null) return refused(brought.id, 'there is no such key')
  if (isUnavailable(found)) return found
  const secret = matching(deps.mac, found, brought.secret)
  return secret === null ? unknownSecret(brought) : admit(deps, found, secret, brought)
}

function admit(
  { clock, onUsed }: Dependencies,
  { id, isRevoked, allowedFrom }: KnownKey,
  { expiresAt, identity }: KnownSecret,
  { isFrom }: Brought,
): Outcome {
  if (isRevoked) return refused(id, 'it was revoked')
  if (expiresAt <= clock.now()) return refused(id, 'its secret has expired')
  if (allowedFrom !== null && !isFrom(allowedFrom)) return refused(id, 'it may not be used from there')
  onUsed(id)
  return identity
}

/** Goes through all of them, whichever it is, so that the time does not tell. */
function matching(mac: Mac, { id, secrets }: KnownKey, secret: string): KnownSecret | null {
  let matched: KnownSecret | null = null
  let pepper = 0
  let brought = ''
  for (const each of secrets) {
    if (each.pepper !== pepper) brought = keyMac(mac, each.pepperBase64, id, secret)
    pepper = each.pepper
    if (mac.equal(each.mac, brought)) matched = each
  }
  return matched
}

function unknownSecret({ id }: Brought): ApiKeyRefused {
  return refused(id, 'its secret is none of the key')
}

function refused(keyId: Uuid | null, reason: string): ApiKeyRefused {
  return { kind: 'api-key-refused', keyId, reason }
}
