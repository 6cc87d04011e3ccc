import type { ApiKeyNotFound, ApiKeyRevoked, BeyondGrant, TooManyApiKeys, TooManySecrets, UnusableRecipient } from '@cbp/core'
import { faulty, problem } from './problem.ts'
import { type ProblemTable, retryAfter } from './problem-table.ts'

export type ApiKeyFailure = ApiKeyNotFound | ApiKeyRevoked | BeyondGrant | TooManyApiKeys | TooManySecrets | UnusableRecipient

export const apiKeyProblems: ProblemTable<ApiKeyFailure> = {
  'api-key-not-found': ({ id }) => problem('api-key-not-found', `There is no API key ${id} that this client may see.`),
  'api-key-revoked': ({ id }) => problem('api-key-revoked', `The API key ${id} was revoked.`),
  'beyond-grant': ({ permissions, configScopes }) =>
    problem(
      'beyond-grant',
      `This client may not grant ${[...permissions, ...configScopes.map((scope) => `the scope ${scope}`)].join(', ')}.`,
      {
        members: { permissions, configScopes },
      },
    ),
  'too-many-api-keys': ({ limit }) =>
    problem('too-many-api-keys', `A client has at most ${limit} API keys that are not revoked.`, { members: { limit } }),
  'too-many-secrets': ({ limit, retryAfterSeconds }) =>
    problem('too-many-secrets', `An API key has at most ${limit} valid secrets at a time.`, {
      members: { limit },
      headers: retryAfter(retryAfterSeconds * 1000),
    }),
  'unusable-recipient': ({ reason }) =>
    faulty('unusable-recipient', [
      { pointer: '#/recipient', code: 'unusable-recipient', message: `Nothing can be sealed to this key: ${reason}.` },
    ]),
}
