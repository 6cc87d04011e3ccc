import { hasPermission, type Identity, type Permission } from '@cbp/core'
import { isRefused, tokenLimitBytes, type VerifyToken } from '../access/verify-token.ts'
import { type Problem, problem } from '../problems/problem.ts'

const realm = 'Bearer realm="cbp-config-api"'

/** Authenticates and authorizes (RFC 6750). Answers at once for a token verified a moment ago. */
export function authorize(
  verifyToken: VerifyToken,
  authorization: string | undefined,
  permission: Permission,
): Identity | Problem | Promise<Identity | Problem> {
  if (authorization === undefined) {
    return problem('unauthenticated', 'The request carries no bearer token.', { headers: { 'www-authenticate': realm } })
  }
  const token = bearerToken(authorization)
  if (token === null) {
    return problem('unauthenticated', 'The Authorization field is not "Bearer <token>".', { headers: { 'www-authenticate': realm } })
  }
  if (token.length > tokenLimitBytes) return refuse(`it is larger than ${tokenLimitBytes} bytes`)
  const verification = verifyToken(token)
  if (verification instanceof Promise) return verification.then((settled) => decide(settled, permission))
  return decide(verification, permission)
}

function decide(verification: Awaited<ReturnType<VerifyToken>>, permission: Permission): Identity | Problem {
  if (!isRefused(verification)) return hasPermission(verification, permission) ? verification : lacking(permission)
  if (verification.kind === 'token-refused') return refuse(verification.reason)
  return problem('keys-unavailable', 'The keys to verify tokens with cannot be read at the moment.', { headers: { 'retry-after': '2' } })
}

function refuse(reason: string): Problem {
  return problem('invalid-token', `The token is refused: ${reason}.`, {
    headers: {
      'www-authenticate': `${realm}, error="invalid_token", error_description="${reason.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")}"`,
    },
  })
}

function lacking(permission: Permission): Problem {
  return problem('insufficient-permission', `The token does not grant ${permission}.`, {
    headers: { 'www-authenticate': `${realm}, error="insufficient_scope", scope="${permission}"` },
  })
}

function bearerToken(field: string): string | null {
  if (field.length < 8 || field.slice(0, 7).toLowerCase() !== 'bearer ') return null
  return field.slice(7).trim()
}
