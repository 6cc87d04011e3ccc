import { type ApiKeyRefused, type AuditService, hasPermission, type Identity } from '@cbp/core'
import { type Authenticate, type Authentication, type PresentCredential, readCredential } from '../access/credentials.ts'
import type { TokenRefused } from '../access/verify-token.ts'
import type { ProblemCode } from '../problems/catalogue.ts'
import { type Problem, problem } from '../problems/problem.ts'
import type { Access, Endpoint } from './endpoint.ts'
import type { Exchange } from './exchange.ts'

/** Who calls; `null` for a credential that is refused where that is an answer too; or the problem. */
export type IdentityOrRefusal = Identity | null | Problem

export interface Guard {
  /** Finds out who calls (RFC 6750). At once for a credential that was looked at a moment ago. */
  authenticate(exchange: Exchange, access: Exclude<Access, null>): IdentityOrRefusal | Promise<IdentityOrRefusal>
  /** Whether they may call this; `null` when they may. */
  authorize(access: Exclude<Access, null>, identity: Identity): Problem | null
  /** Takes note of a refusal for want of a permission or a scope, whoever refused. */
  noteRefusal(exchange: Exchange, code: ProblemCode, endpoint: Pick<Endpoint, 'method' | 'path'>): void
  /** Whether what was accepted once still counts. */
  isStillValid(credential: PresentCredential, from: Pick<Exchange, 'address' | 'certificate'>): Promise<boolean>
  /** How many credentials were refused so far. */
  refused(): Readonly<{ tokens: number; apiKeys: number; permissions: number }>
}

const absences: Readonly<Record<'none' | 'malformed', string>> = {
  none: 'The request carries neither a bearer token nor an API key.',
  malformed: 'The Authorization field is not "Bearer <token>".',
}

/** Refusals of those who are known, whether the guard refused or the endpoint itself. */
const refusedActions: ReadonlyMap<ProblemCode, 'permission.refused' | 'scope.refused'> = new Map([
  ['insufficient-permission', 'permission.refused'],
  ['scope-not-permitted', 'scope.refused'],
])

const realm = 'Bearer realm="cbp-config-api"'

export function guard(authenticate: Authenticate, note: AuditService['note']): Guard {
  const refusals = { tokens: 0, apiKeys: 0, permissions: 0 }

  const refuse = (exchange: Exchange, refusal: TokenRefused | ApiKeyRefused, access: Access): Problem | null => {
    const { requestId, address } = exchange
    const isToken = refusal.kind === 'token-refused'
    refusals[isToken ? 'tokens' : 'apiKeys'] += 1
    const subject = refusal.kind === 'api-key-refused' && refusal.keyId !== null ? `api-key/${refusal.keyId}` : null
    const action = isToken ? 'token.refused' : 'api-key.refused'
    note({ action, actor: address.text, subject, requestId, details: { reason: refusal.reason } })
    if (access === 'any-bearer') return null
    return refusal.kind === 'token-refused' ? refuseToken(refusal.reason) : refuseApiKey()
  }
  const decide = (exchange: Exchange, authentication: Authentication, access: Access): IdentityOrRefusal => {
    if (!('kind' in authentication)) return authentication
    switch (authentication.kind) {
      case 'token-refused':
      case 'api-key-refused':
        return refuse(exchange, authentication, access)
      case 'keys-unavailable':
        return away('keys-unavailable', 'The keys to verify tokens with cannot be read at the moment.')
      case 'store-unavailable':
        return away('store-unavailable', 'The store does not answer, so API keys cannot be looked up.')
    }
  }
  return {
    authenticate: (exchange, access) => {
      const credential = readCredential(exchange)
      if ('code' in credential) return credential
      if (!('text' in credential)) return unauthenticated(absences[credential.kind])
      const authentication = authenticate(credential, exchange)
      if (authentication instanceof Promise) return authentication.then((settled) => decide(exchange, settled, access))
      return decide(exchange, authentication, access)
    },
    authorize: (access, identity) => {
      if (access === 'authenticated' || access === 'any-bearer' || hasPermission(identity, access)) return null
      refusals.permissions += 1
      return problem('insufficient-permission', `The credential does not grant ${access}.`, {
        headers: { 'www-authenticate': `${realm}, error="insufficient_scope", scope="${access}"` },
      })
    },
    noteRefusal: ({ identity, requestId }, code, { method, path }) => {
      const action = refusedActions.get(code)
      if (action === undefined) return
      const details = { route: `${method.toUpperCase()} ${path}` }
      note({ action, actor: identity?.client ?? 'anonymous', subject: null, requestId, details })
    },
    isStillValid: async (credential, from) => {
      const authentication = await authenticate(credential, from)
      // While keys or store are away, what was valid stays so: it ends with its own expiry.
      return !('kind' in authentication) || authentication.kind === 'keys-unavailable' || authentication.kind === 'store-unavailable'
    },
    refused: () => refusals,
  }
}

function unauthenticated(detail: string): Problem {
  return problem('unauthenticated', detail, { headers: { 'www-authenticate': realm } })
}

function away(code: 'keys-unavailable' | 'store-unavailable', detail: string): Problem {
  return problem(code, detail, { headers: { 'retry-after': '2' } })
}

function refuseToken(reason: string): Problem {
  return problem('invalid-token', `The token is refused: ${reason}.`, {
    headers: {
      'www-authenticate': `${realm}, error="invalid_token", error_description="${reason.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")}"`,
    },
  })
}

/** One and the same for every reason: which keys there are is nobody's business but their owners'. */
function refuseApiKey(): Problem {
  return problem('invalid-api-key', 'The API key is not acceptable.', {
    headers: { 'www-authenticate': `${realm}, error="invalid_token"` },
  })
}
