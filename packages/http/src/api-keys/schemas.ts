import { type ApiKeyStatus, apiKeyLimits, type JsonObject, type Permission, permissions, type Scope, scopePattern } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { pageOf } from '../server/parameters.ts'
import { readAddressBlock } from './address-blocks.ts'

const instant = z.iso.datetime()
const statuses: readonly ApiKeyStatus[] = ['active', 'expiring', 'expired', 'revoked']
const visible = /[^\p{Cc}\p{Cf}\p{Z}]/u

const name = z
  .string()
  .max(apiKeyLimits.name)
  .refine((text) => text.isWellFormed() && /^\P{Cc}*$/u.test(text) && visible.test(text), {
    message: 'A name is one line of text in which there is something to read.',
    params: { code: 'unreadable' },
  })
  .openapi({ minLength: 1, description: 'What it is for; shown in lists and warnings', example: 'till 7' })

const addressBlock = z
  .string()
  .max(50)
  .transform((text, context): string => {
    const block = readAddressBlock(text)
    if (block !== null) return block
    context.addIssue({
      code: 'custom',
      message: 'An address or a CIDR block such as 192.0.2.0/24 or 2001:db8::/32 is expected.',
      params: { code: 'invalid-address-block' },
    })
    return z.NEVER
  })
  .openapi({ type: 'string', example: '192.0.2.0/24' })

const lists = {
  permissions: z
    .array(z.enum(permissions))
    .min(1)
    .max(permissions.length)
    .openapi({ description: 'What it may do; no more than its maker' }),
  configScopes: z
    .array(z.string().regex(scopePattern))
    .min(1)
    .max(apiKeyLimits.configScopes)
    .nullable()
    .openapi({ description: 'The configuration scopes that it is confined to, at them and below; null for all' }),
  allowedFrom: z
    .array(addressBlock)
    .min(1)
    .max(apiKeyLimits.allowedFrom)
    .nullable()
    .openapi({ description: 'Addresses or CIDR blocks that it may be used from; null for everywhere' }),
}

const recipient = z.record(z.string(), z.unknown()).openapi({
  description:
    'A public key (JWK): EC on P-256, P-384 or P-521, OKP X25519, or RSA from 2048 bits. The answer then carries `jwe`, which its holder alone opens, in place of `key`',
  example: { kty: 'OKP', crv: 'X25519', x: 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo' },
})

const members = {
  id: z.uuid(),
  client: z.string().openapi({ description: 'Under which it acts, for as long as it lasts' }),
  name,
  owner: z.string().openapi({ description: 'The client that made it' }),
  status: z.enum(statuses).openapi({ description: 'expiring: within 14 days; what is expired can still be rotated' }),
  permissions: z.array(z.enum(permissions)),
  configScopes: z.array(z.string()).nullable(),
  allowedFrom: z.array(z.string()).nullable(),
  expiresAt: instant.openapi({ description: 'When the current secret ends' }),
  secrets: z
    .array(z.strictObject({ createdAt: instant, expiresAt: instant }))
    .openapi({ description: 'Current first; older ones are valid beside it until they end. Never the secrets themselves' }),
  revokedAt: instant.nullable(),
  version: z.int().min(1),
  createdAt: instant,
  updatedAt: instant,
}

const lastUsedAt = instant.nullable().openapi({ description: 'To the minute, and up to a minute late' })
const apiKey: z.ZodType = z.strictObject({ ...members, lastUsedAt }).openapi('ApiKey')

export type CreateApiKeyBody = Readonly<{
  name: string
  permissions: readonly Permission[]
  configScopes?: readonly Scope[] | null | undefined
  allowedFrom?: readonly string[] | null | undefined
  lifetimeDays?: number | undefined
  recipient?: JsonObject | undefined
}>

export type RotateApiKeyBody = Readonly<{ recipient?: JsonObject | undefined }>

/** The bodies of the endpoints of API keys. */
export const bodies: Readonly<{
  create: z.ZodType<CreateApiKeyBody>
  rotate: z.ZodType<RotateApiKeyBody>
  apiKey: z.ZodType
  apiKeys: z.ZodType
  issued: z.ZodType
  revoked: z.ZodType
}> = {
  create: z
    .strictObject({
      name,
      permissions: lists.permissions,
      configScopes: lists.configScopes.optional(),
      allowedFrom: lists.allowedFrom.optional(),
      lifetimeDays: z
        .int()
        .min(1)
        .max(365)
        .optional()
        .openapi({ description: 'Never longer than the policy, security/api-key.lifetime-days' }),
      recipient: recipient.optional(),
    })
    .openapi('CreateApiKey') as unknown as z.ZodType<CreateApiKeyBody>,
  rotate: z.strictObject({ recipient: recipient.optional() }).openapi('RotateApiKey') as unknown as z.ZodType<RotateApiKeyBody>,
  apiKey,
  apiKeys: pageOf(apiKey).openapi('ApiKeyList'),
  issued: z
    .strictObject({
      ...members,
      key: z.string().optional().openapi({ description: 'Told this once', example: 'cbp_production_…' }),
      jwe: z.string().optional().openapi({ description: 'The key, sealed to the recipient (RFC 7516, compact)' }),
    })
    .openapi('IssuedApiKey'),
  revoked: z.strictObject(members).openapi('RevokedApiKey'),
}
