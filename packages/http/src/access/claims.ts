import { type Identity, parseScope, type Scope, type TokenRoles } from '@cbp/core'

type Claims = Readonly<Record<string, unknown>>

/** Further than any calendar; a larger number is no instant. */
const latestSeconds = 8.64e12

/** What could be taken for another name, or for none: control and format characters, separators, halves of pairs. */
const unclear = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/** Reads a verified token's claims; answers what is wrong with them as text. */
export function identityOf(claims: Claims, roles: TokenRoles): Identity | string {
  const issuer = claims['iss']
  const actingClient = claims['client_id'] ?? claims['azp']
  const name = actingClient ?? claims['sub']
  if (typeof name !== 'string' || !isClear(name)) return 'the token names no client (client_id, azp or sub)'
  const scope = claims['scope'] ?? ''
  if (typeof scope !== 'string') return 'scope is not a string of permissions'
  const configScopes = readConfigScopes(claims['cbp_scopes'])
  if (configScopes === undefined) return 'cbp_scopes is not a list of configuration scopes'
  const expiresAtSeconds = Number(claims['exp'])
  if (!(expiresAtSeconds <= latestSeconds)) return 'exp is no instant'
  const subject = claims['sub']
  return {
    client: `${String(issuer)}|${name}`,
    // A client that acts for itself is no user (RFC 9068, 2.2).
    userId: typeof subject === 'string' && isClear(subject) && subject !== actingClient ? subject : null,
    permissions: new Set([...scope.split(' ').filter((word) => word !== ''), ...permissionsOf(claims, roles)]),
    configScopes,
    expiresAt: expiresAtSeconds * 1000,
  }
}

/** Two writings of one name would be two clients; one of them can be made to look like somebody else's. */
function isClear(name: string): boolean {
  return name !== '' && name.length <= 256 && !unclear.test(name) && name.normalize('NFC') === name
}

/** What the roles of a token stand for: roles that are not mapped, and claims of another form, grant nothing. */
function permissionsOf(claims: Claims, { claim, permissions }: TokenRoles): readonly string[] {
  const given = ownMember(claims, claim) ?? claim.split('.').reduce<unknown>(ownMember, claims)
  const named: readonly unknown[] = typeof given === 'string' ? given.split(' ') : Array.isArray(given) ? given : []
  return named.flatMap((role) => (typeof role === 'string' && Object.hasOwn(permissions, role) ? (permissions[role] ?? []) : []))
}

function ownMember(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Claims)[name] : undefined
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
