import type { Permission } from '@cbp/core'

/** Held against the type, so that building the program loads no core. */
const everyPermission: Readonly<Record<Permission, true>> = {
  admin: true,
  'audit:read': true,
  'clients:all': true,
  'config:read': true,
  'config:write': true,
  'config:reveal': true,
  'events:read': true,
  'events:write': true,
  'keys:read': true,
  'keys:write': true,
  'monitoring:read': true,
  'monitoring:write': true,
  'payments:read': true,
  'payments:write': true,
  'recovery:read': true,
  'recovery:write': true,
  'users:read': true,
  'users:write': true,
  'webhooks:read': true,
  'webhooks:write': true,
}

export const permissions: readonly Permission[] = Object.keys(everyPermission) as Permission[]
