import { err, ok, type Result } from 'neverthrow'
import { rootScope } from '../config/index.ts'
import type { BeyondGrant } from './access-service.ts'
import type { ApiKey } from './api-key.ts'
import { hasPermission, type Identity, mayUseScope } from './identity.ts'

/** Whether the grantor holds all that it hands on. Who is confined to scopes grants nothing that is not. */
export function requireGrant(
  grantor: Identity,
  { permissions, configScopes }: Pick<ApiKey, 'permissions' | 'configScopes'>,
): Result<void, BeyondGrant> {
  const beyond: BeyondGrant = {
    kind: 'beyond-grant',
    permissions: permissions.filter((permission) => !hasPermission(grantor, permission)),
    configScopes: (configScopes ?? [rootScope]).filter((scope) => !mayUseScope(grantor, scope)),
  }
  return beyond.permissions.length === 0 && beyond.configScopes.length === 0 ? ok() : err(beyond)
}
