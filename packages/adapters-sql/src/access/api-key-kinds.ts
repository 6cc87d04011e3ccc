import type { ApiKey, ApiKeyUse } from '@cbp/core'
import { integer, json, optional, type RecordKind, text } from '../sql/record-kind.ts'

export const apiKeyKind: RecordKind<ApiKey, 'id'> = {
  name: 'API key',
  table: 'api_keys',
  key: ['id'],
  columns: {
    id: text,
    name: text,
    owner: text,
    permissions: json,
    config_scopes: optional(json),
    allowed_from: optional(json),
    secrets: json,
    revoked_at: optional(integer),
    warn_at: optional(integer),
    version: integer,
    created_at: integer,
    updated_at: integer,
  },
  toValues: (row) => [
    row.id,
    row.name,
    row.owner,
    row.permissions,
    row.configScopes,
    row.allowedFrom,
    row.secrets,
    row.revokedAt,
    row.warnAt,
    row.version,
    row.createdAt,
    row.updatedAt,
  ],
  fromValues: (values) =>
    ({
      id: values[0],
      name: values[1],
      owner: values[2],
      permissions: values[3],
      configScopes: values[4],
      allowedFrom: values[5],
      secrets: values[6],
      revokedAt: values[7],
      warnAt: values[8],
      version: values[9],
      createdAt: values[10],
      updatedAt: values[11],
    }) as ApiKey,
}

export const apiKeyUseKind: RecordKind<ApiKeyUse, 'keyId'> = {
  name: 'use of an API key',
  table: 'api_key_uses',
  key: ['keyId'],
  columns: { key_id: text, last_used_at: integer },
  toValues: (row) => [row.keyId, row.lastUsedAt],
  fromValues: ([keyId, lastUsedAt]) => ({ keyId, lastUsedAt }) as ApiKeyUse,
}
