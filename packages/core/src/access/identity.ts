import type { Scope } from '../config/index.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Viewer } from '../kernel/viewer.ts'
import type { Reach } from '../webhooks/index.ts'

/** Everything that a token or an API key may allow. `admin` allows all of it. */
export const permissions = [
  'admin',
  'audit:read',
  'clients:all',
  'config:read',
  'config:write',
  'config:reveal',
  'events:read',
  'events:write',
  'keys:read',
  'keys:write',
  'monitoring:read',
  'monitoring:write',
  'payments:read',
  'payments:write',
  'recovery:read',
  'recovery:write',
  'users:read',
  'users:write',
  'webhooks:read',
  'webhooks:write',
] as const

export type Permission = (typeof permissions)[number]

/** Who calls, as a verified token or API key tells it. */
export type Identity = Readonly<{
  /** `<issuer>|<client>` of a token, `api-key|<id>` of an API key; `cli:<user>` at the command line. */
  client: string
  /** The user on whose behalf the client acts (`sub`); `null` where there is none. */
  userId: string | null
  /** Words that are no permission of this service grant nothing. */
  permissions: ReadonlySet<string>
  /** The scopes that it is confined to, at them and below; `null` when it is not. */
  configScopes: readonly Scope[] | null
  expiresAt: Instant
}>

export function hasPermission({ permissions: held }: Pick<Identity, 'permissions'>, permission: Permission): boolean {
  return held.has(permission) || held.has('admin')
}

/** Everybody sees what is their own; `clients:all` shows what belongs to others too. */
export function viewerOf(identity: Identity): Viewer {
  return { client: identity.client, seesAll: hasPermission(identity, 'clients:all') }
}

/** What a subscription of this caller may hear. Who is confined to scopes hears no system events: they know no scopes. */
export function reachOf(identity: Identity): Reach {
  return {
    allClients: hasPermission(identity, 'clients:all'),
    system: hasPermission(identity, 'config:read') && identity.configScopes === null,
  }
}

/** A confined identity reads and writes at its scopes and below them. What is inherited from above still shows there. */
export function mayUseScope({ configScopes }: Pick<Identity, 'configScopes'>, scope: Scope): boolean {
  return configScopes === null || configScopes.some((allowed) => isUnder(scope, allowed))
}

/** Whether a change at `scope` can matter to this caller: at, below or above one of its scopes. */
export function mayHearOf({ configScopes }: Pick<Identity, 'configScopes'>, scope: Scope): boolean {
  return configScopes === null || configScopes.some((allowed) => isUnder(scope, allowed) || isUnder(allowed, scope))
}

function isUnder(scope: Scope, ancestor: Scope): boolean {
  return ancestor === '/' || scope === ancestor || scope.startsWith(`${ancestor}/`)
}
