import type { Address, Scope } from '@cbp/core'
import { hasPermission, mayUseScope } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { type Problem, problem } from '../problems/problem.ts'
import { type Exchange, identityIn } from '../server/exchange.ts'
import { componentParameter, keyParameter } from './input.ts'

export const entryParameters: z.ZodObject<{ component: typeof componentParameter; key: typeof keyParameter }, z.core.$strict> =
  z.strictObject({
    component: componentParameter,
    key: keyParameter,
  })

export const tag = 'Configuration'

/** Refuses a scope outside those that the token is confined to. */
export function refuseScope(exchange: Exchange, scope: Scope): Problem | null {
  const identity = identityIn(exchange)
  if (mayUseScope(identity, scope)) return null
  const allowed = identity.configScopes?.join(', ') ?? ''
  return problem(
    'scope-not-permitted',
    `The token is confined to ${allowed === '' ? 'no scope at all' : allowed}; ${scope} is not under it.`,
    {
      headers: { 'www-authenticate': 'Bearer realm="cbp-config-api", error="insufficient_scope"' },
    },
  )
}

/** Settings that say what tokens are worth; whoever may write them may give themselves every permission there is. */
const tokenRules = 'token.'

/** Nobody grants more than they hold, not by way of a setting either. */
export function refuseTokenRules(exchange: Exchange, { component, key }: Pick<Address, 'component' | 'key'>): Problem | null {
  if (component !== 'security' || !key.startsWith(tokenRules) || hasPermission(identityIn(exchange), 'admin')) return null
  return problem('insufficient-permission', `What tokens are worth is said in security/${key}; to write that takes admin.`, {
    headers: { 'www-authenticate': 'Bearer realm="cbp-config-api", error="insufficient_scope", scope="admin"' },
  })
}
