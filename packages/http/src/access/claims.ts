import { type Identity, parseScope, type Scope } from '@cbp/core'

type Claims = Readonly<Record<string, unknown>>

/** Reads a verified token's claims; answers what is wrong with them as text. */
export function identityOf(claims: Claims): Identity | string {
  const issuer = claims['iss']
  const name = claims['client_id'] ?? claims['azp'] ?? claims['sub']
  if (typeof name !== 'string' || name === '' || name.length > 256) return 'the token names no client (client_id, azp or sub)'
  const scope = claims['scope'] ?? ''
  if (typeof scope !== 'string') return 'scope is not a string of permissions'
  const configScopes = readConfigScopes(claims['cbp_scopes'])
  if (configScopes === undefined) return 'cbp_scopes is not a list of configuration scopes'
  const subject = claims['sub']
  return {
    client: `${String(issuer)}|${name}`,
    userId: typeof subject === 'string' && subject.length <= 256 ? subject : null,
    permissions: new Set(scope.split(' ').filter((word) => word !== '')),
    configScopes,
    expiresAt: Number(claims['exp']) * 1000,
  }
}

/** A list, or a text of scopes with spaces between; `undefined` when it is neither, so that it never widens by mistake. */
function readConfigScopes(claim: unknown): readonly Scope[] | null | undefined {
  if (claim === undefined) return null
  const words: unknown = typeof claim === 'string' ? claim.split(' ').filter((word) => word !== '') : claim
  if (!Array.isArray(words)) return undefined
  const scopes: Scope[] = []
  for (const word of words) {
    const scope = typeof word === 'string' ? parseScope(word) : null
    if (scope === null || scope.isErr()) return undefined
    scopes.push(scope.value)
  }
  return scopes
}
