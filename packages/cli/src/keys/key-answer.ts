import { type ApiKey, type ApiKeyWithUse, type IssuedApiKey, timestamp, type Uuid } from '@cbp/core'
import { apiKeyBody, issuedApiKeyBody } from '@cbp/http/bodies'
import type { Result } from 'neverthrow'
import { readId } from '../inputs.ts'
import type { Failure } from '../output/failure.ts'
import { renderFields } from '../output/fields.ts'
import { plain, type Style } from '../output/style.ts'
import type { Answer, Session } from '../session.ts'

export function readKeyId(text: string): Result<Uuid, Failure> {
  return readId('API key', text, 'cbp key list').mapErr((failure) => ({ ...failure, code: 'api-key-not-found' }))
}

/** The only time that a key is told, where it is not sealed. */
export function issuedAnswer({ notice }: Session, issued: IssuedApiKey, headline: string): Answer {
  const { delivery } = issued
  if (delivery.kind === 'plain') {
    notice('secret-shown-once', 'The key is shown this once. Keep it where secrets are kept; cbp key rotate makes another.')
  }
  const told = delivery.kind === 'plain' ? (['key', delivery.text.reveal()] as const) : (['jwe', delivery.jwe] as const)
  return {
    json: issuedApiKeyBody(issued),
    text: (style) => `${style.paint('green', '✔')} ${plain(headline)}\n${keyFields(style, { ...issued, use: undefined }, told)}`,
  }
}

export function keyAnswer(key: ApiKey, status: ApiKeyWithUse['status'], headline: string): Answer {
  return {
    json: apiKeyBody({ key, status }),
    text: (style) => `${style.paint('green', '✔')} ${plain(headline)}\n${keyFields(style, { key, status, use: undefined }, null)}`,
  }
}

type Shown = Readonly<{ key: ApiKey; status: ApiKeyWithUse['status']; use: ApiKeyWithUse['use'] | undefined }>

export function keyFields(style: Style, { key, status, use }: Shown, told: readonly [string, string] | null): string {
  const [current, ...older] = key.secrets.map(({ expiresAt }) => timestamp(expiresAt))
  return renderFields(style, [
    ['id', key.id],
    ...(told === null ? [] : [told]),
    ['name', key.name],
    ['status', status],
    ['client', `api-key|${key.id}`],
    ['permissions', key.permissions.join(', ')],
    ['only scopes', key.configScopes === null ? null : key.configScopes.join(', ')],
    ['only from', key.allowedFrom === null ? null : key.allowedFrom.join(', ')],
    ['expires', current ?? null],
    ['older secrets', older.length === 0 ? null : `until ${older.join(', ')}`],
    ['last used', use === undefined || use === null ? null : timestamp(use.lastUsedAt)],
    ['revoked', key.revokedAt === null ? null : timestamp(key.revokedAt)],
    ['made by', key.owner],
    ['version', String(key.version)],
    ['created', timestamp(key.createdAt)],
  ])
}
