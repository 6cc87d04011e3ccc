import { type ApiKey, type ApiKeyWithUse, type IssuedApiKey, timestamp } from '@cbp/core'

type Body = Readonly<Record<string, unknown>>

/** The wire form of an API key; the command line prints the same. Of its secrets no more than when each ends. */
export function apiKeyBody({ key, status, use }: Omit<ApiKeyWithUse, 'use'> & Readonly<{ use?: ApiKeyWithUse['use'] }>): Body {
  return {
    id: key.id,
    client: `api-key|${key.id}`,
    name: key.name,
    owner: key.owner,
    status,
    permissions: key.permissions,
    configScopes: key.configScopes,
    allowedFrom: key.allowedFrom,
    expiresAt: expiryOf(key),
    secrets: key.secrets.map(({ createdAt, expiresAt }) => ({ createdAt: timestamp(createdAt), expiresAt: timestamp(expiresAt) })),
    ...(use === undefined ? {} : { lastUsedAt: use === null ? null : timestamp(use.lastUsedAt) }),
    revokedAt: key.revokedAt === null ? null : timestamp(key.revokedAt),
    version: key.version,
    createdAt: timestamp(key.createdAt),
    updatedAt: timestamp(key.updatedAt),
  }
}

/** What making one and rotating it answer: the only time that the secret is told, as text or sealed. */
export function issuedApiKeyBody({ key, status, delivery }: IssuedApiKey): Body {
  const { id, ...rest } = apiKeyBody({ key, status })
  return { id, ...(delivery.kind === 'plain' ? { key: delivery.text.reveal() } : { jwe: delivery.jwe }), ...rest }
}

/** The end of the current secret: those before end no later than it was promised to them. */
function expiryOf({ secrets: [current] }: ApiKey): string | null {
  return current === undefined ? null : timestamp(current.expiresAt)
}
