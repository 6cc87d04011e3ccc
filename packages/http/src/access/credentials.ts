import type { ApiKeyRefused, AuthenticateApiKey, Identity, StoreUnavailable } from '@cbp/core'
import { faulty, type Problem } from '../problems/problem.ts'
import type { Exchange } from '../server/exchange.ts'
import { type ClientAddress, isWithin } from './client-address.ts'
import type { KeysUnavailable, TokenRefused, VerifyToken } from './verify-token.ts'

/** What a request brings to show who sends it. */
type Credential = Readonly<{ kind: 'none' | 'malformed' }> | PresentCredential

export type PresentCredential = Readonly<{ kind: 'token' | 'api-key'; text: string }>

export type Authentication = Identity | TokenRefused | KeysUnavailable | ApiKeyRefused | StoreUnavailable

export type Authenticate = (
  credential: PresentCredential,
  exchange: Pick<Exchange, 'address' | 'certificate'>,
) => Authentication | Promise<Authentication>

const apiKeyStart = 'cbp_'

/** A token, or an API key in either of its two fields; of two credentials nobody could say which one counts. */
export function readCredential(exchange: Pick<Exchange, 'header' | 'credentialFields'>): Credential | Problem {
  const authorization = exchange.header('authorization')
  const apiKey = exchange.header('x-api-key')
  if (authorization === undefined && apiKey === undefined) return { kind: 'none' }
  if ((authorization !== undefined && apiKey !== undefined) || exchange.credentialFields() > 1) {
    return faulty('invalid-header', [
      {
        pointer: '#/header/authorization',
        code: 'several-credentials',
        message: 'A request carries one credential: one Authorization field or one x-api-key field.',
      },
    ])
  }
  if (authorization === undefined) return { kind: 'api-key', text: apiKey ?? '' }
  const text = bearerToken(authorization)
  if (text === null) return { kind: 'malformed' }
  return { kind: text.startsWith(apiKeyStart) ? 'api-key' : 'token', text }
}

export function authenticator(verifyToken: VerifyToken, authenticateApiKey: AuthenticateApiKey): Authenticate {
  return ({ kind, text }, { address, certificate }) =>
    kind === 'api-key' ? authenticateApiKey(text, isFrom(address)) : verifyToken(text, certificate)
}

function isFrom(address: ClientAddress): (blocks: readonly string[]) => boolean {
  return (blocks) => isWithin(address, blocks)
}

function bearerToken(field: string): string | null {
  if (field.length < 8 || field.slice(0, 7).toLowerCase() !== 'bearer ') return null
  // Blanks alone (RFC 6750, 2.1): more than node has cut off already, only some would take for space.
  return field.charCodeAt(7) === 0x20 ? field.slice(7).replace(/^ +/, '') : field.slice(7)
}
