import type { ApiKeyNotFound, ApiKeyRevoked, BeyondGrant, TooManyApiKeys, TooManySecrets, UnusableRecipient } from '@cbp/core'
import { exitCodes, type Failure } from './failure.ts'
import { plain } from './style.ts'

type ApiKeyFailure = ApiKeyNotFound | ApiKeyRevoked | BeyondGrant | TooManyApiKeys | TooManySecrets | UnusableRecipient

const { refused, conflict, notFound } = exitCodes

/** What an error about an API key means at the command line. */
export function apiKeyFailure(error: ApiKeyFailure): Failure {
  switch (error.kind) {
    case 'api-key-not-found':
      return {
        exitCode: notFound,
        code: error.kind,
        detail: `There is no API key ${plain(error.id)}.`,
        mend: 'List them with: cbp key list',
      }
    case 'api-key-revoked':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The API key ${error.id} was revoked, and stays so.`,
        mend: 'Make another: cbp key create',
      }
    case 'beyond-grant':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `The token may not grant ${[...error.permissions, ...error.configScopes.map((scope) => `the scope ${scope}`)].join(', ')}. Nothing was written.`,
        mend: 'Ask for less, or unset CBP_TOKEN to act as the operator.',
        members: { permissions: error.permissions, configScopes: error.configScopes },
      }
    case 'too-many-api-keys':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `One client has at most ${error.limit} API keys that are not revoked. Nothing was written.`,
        mend: 'Revoke one first: cbp key revoke <id>',
      }
    case 'too-many-secrets':
      return {
        exitCode: conflict,
        code: error.kind,
        detail: `The key has ${error.limit} valid secrets already; another would end one that is in use. Nothing was written.`,
        mend: `Rotate it again in ${inWords(error.retryAfterSeconds)}, when the oldest has ended.`,
        members: { retryAfterSeconds: error.retryAfterSeconds },
      }
    case 'unusable-recipient':
      return {
        exitCode: refused,
        code: error.kind,
        detail: `Nothing can be sealed to that key: ${plain(error.reason)}. Nothing was written.`,
      }
  }
}

function inWords(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${Math.ceil(seconds / 86_400)} days`
  return seconds >= 2 * 3600 ? `${Math.ceil(seconds / 3600)} hours` : `${Math.ceil(seconds / 60)} min`
}
