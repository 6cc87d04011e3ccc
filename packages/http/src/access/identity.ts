import { parseScope, type Reach, type Scope, type Viewer } from '@cbp/core'

/** What a token may allow. `admin` allows everything. */
export type Permission =
  | 'clients:all'
  | 'config:read'
  | 'config:write'
  | 'events:read'
  | 'events:write'
  | 'monitoring:read'
  | 'payments:read'
  | 'payments:write'
  | 'webhooks:read'
  | 'webhooks:write'

/** Who calls, as a verified token tells it. */
export type Identity = Readonly<{
  /** `<issuer>|<client>`. */
  client: string
  permissions: ReadonlySet<string>
  /** The scopes that the token is confined to; `null` when it is not. */
  configScopes: readonly Scope[] | null
  /** When the token expires. */
  expiresAtMs: number
}>

export function hasPermission({ permissions }: Identity, permission: Permission): boolean {
  return permissions.has(permission) || permissions.has('admin')
}

/** Everybody sees what is their own; `clients:all` shows what belongs to others too. */
export function viewerOf(identity: Identity): Viewer {
  return { client: identity.client, seesAll: hasPermission(identity, 'clients:all') }
}

/** What a subscription of this caller may hear. A token confined to scopes hears no system events: they know no scopes. */
export function reachOf(identity: Identity): Reach {
  return {
    allClients: hasPermission(identity, 'clients:all'),
    system: hasPermission(identity, 'config:read') && identity.configScopes === null,
  }
}

/** A confined token reads and writes at its scopes and below them. What is inherited from above still shows there. */
export function mayUseScope({ configScopes }: Identity, scope: Scope): boolean {
  return configScopes === null || configScopes.some((allowed) => isUnder(scope, allowed))
}

/** Whether a change at `scope` can matter to this caller: at, below or above one of its scopes. */
export function mayHearOf({ configScopes }: Identity, scope: Scope): boolean {
  return configScopes === null || configScopes.some((allowed) => isUnder(scope, allowed) || isUnder(allowed, scope))
}

function isUnder(scope: Scope, ancestor: Scope): boolean {
  return ancestor === '/' || scope === ancestor || scope.startsWith(`${ancestor}/`)
}

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
  return {
    client: `${String(issuer)}|${name}`,
    permissions: new Set(scope.split(' ').filter((word) => word !== '')),
    configScopes,
    expiresAtMs: Number(claims['exp']) * 1000,
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
