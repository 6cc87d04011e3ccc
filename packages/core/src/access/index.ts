export type {
  AccessService,
  ApiKeyDetails,
  ApiKeyNotFound,
  ApiKeyRefused,
  ApiKeyRevoked,
  ApiKeyWithUse,
  AuthenticateApiKey,
  BeyondGrant,
  CreateApiKey,
  IsFrom,
  IssuedApiKey,
  RevokeApiKey,
  RotateApiKey,
  TooManyApiKeys,
  TooManySecrets,
} from './access-service.ts'
export type { ApiKey, ApiKeySecret, ApiKeyStatus, ApiKeyUse } from './api-key.ts'
export { apiKeyLimits } from './api-key.ts'
export type { AccessDependencies } from './build-access.ts'
export { accessService } from './build-access.ts'
export type { Identity, Permission } from './identity.ts'
export { hasPermission, mayHearOf, mayUseScope, permissions, reachOf, viewerOf } from './identity.ts'
export type { DeploymentEnvironment } from './key-text.ts'
export type { ApiKeyRecords, ApiKeyStore } from './ports/api-key-store.ts'
export type { RateLimiter } from './ports/rate-limiter.ts'
export type { RecipientSeal, UnusableRecipient } from './ports/recipient-seal.ts'
export type { RateLimitDecision, RateLimitRequest, RateWindow, Taken } from './rate-limit.ts'
export { bucketMs, fullerOf, giveBack, isOver, rateWindowBuckets, takeFrom } from './rate-limit.ts'
