import fc from 'fast-check'
import { anyScope } from '../../config/testing/arbitraries.ts'
import { anyInstant, anyText, anyUuid } from '../../kernel/testing/arbitraries.ts'
import type { ApiKey, ApiKeySecret, ApiKeyUse } from '../api-key.ts'
import { permissions } from '../identity.ts'
import type { RateLimitRequest } from '../rate-limit.ts'

export const anyRateLimitRequest: fc.Arbitrary<RateLimitRequest> = fc.record({
  partition: anyText,
  limit: fc.integer({ min: 1, max: 1000 }),
  windowSeconds: fc.constantFrom(1, 60, 900, 86_400),
  cost: fc.constantFrom(1, 1, 1, 2, 7),
})

/** Few, so that they meet, and such as a collation might take for each other. */
export const fewOwners: readonly string[] = ['https://issuer.example|shop', 'https://issuer.example|Shop', 'cli:operator', 'cli:operator ']

const anyApiKeySecret: fc.Arbitrary<ApiKeySecret> = fc.record({
  mac: fc.base64String({ minLength: 44, maxLength: 44 }),
  pepper: fc.integer({ min: 1, max: 1000 }),
  lifetimeDays: fc.option(fc.integer({ min: 1, max: 3650 })),
  createdAt: anyInstant,
  expiresAt: anyInstant,
})

export const anyApiKey: fc.Arbitrary<ApiKey> = fc.record({
  id: anyUuid,
  name: anyText,
  owner: fc.constantFrom(...fewOwners),
  permissions: fc.subarray([...permissions]),
  configScopes: fc.option(fc.uniqueArray(anyScope, { maxLength: 3 })),
  allowedFrom: fc.option(fc.subarray(['10.0.0.0/8', '192.0.2.7/32', '2001:db8::/32', '::/0'])),
  secrets: fc.array(anyApiKeySecret, { minLength: 1, maxLength: 3 }),
  revokedAt: fc.option(anyInstant),
  warnAt: fc.option(anyInstant),
  version: fc.integer({ min: 1, max: 1_000_000 }),
  createdAt: anyInstant,
  updatedAt: anyInstant,
})

export const anyApiKeyUse: fc.Arbitrary<ApiKeyUse> = fc.record({ keyId: anyUuid, lastUsedAt: anyInstant })
