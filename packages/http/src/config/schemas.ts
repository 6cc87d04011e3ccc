import type { JsonValue, UnitChanges } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { reason } from '../server/parameters.ts'

const value: z.ZodType<JsonValue, JsonValue> = z
  .custom<JsonValue>((given) => given !== undefined, 'value is required.')
  .openapi('JsonValue', { description: 'Any JSON value up to 64 KiB', type: ['object', 'array', 'string', 'number', 'boolean', 'null'] })

const etag = z.string().openapi({ example: '"3-0123456789abcdef0123456789abcdef"' })
const revision = z.int().min(0).openapi({ description: 'The store-wide counter of units of work' })
const op = z.enum(['put', 'delete'])

const provenance = z.strictObject({
  pointer: z.string().openapi({ description: 'JSON Pointer into the value' }),
  scope: z.string().nullable().openapi({ description: 'null for the default that ships' }),
  version: z.int(),
  revision,
})

const resolved: z.ZodType = z
  .strictObject({
    component: z.string(),
    key: z.string(),
    scope: z.string(),
    value,
    version: z.int().openapi({ description: 'Of the most specific entry that counts; 0 for a shipped default' }),
    revision,
    provenance: z.array(provenance),
    entryEtag: etag.nullable().openapi({ description: 'For If-Match; null when nothing is set at exactly this scope' }),
  })
  .openapi('ResolvedEntry')

const entry: z.ZodType = z
  .strictObject({
    component: z.string(),
    key: z.string(),
    scope: z.string(),
    value,
    version: z.int().min(1),
    revision,
    op,
    etag,
    actor: z.string(),
    reason: z.string(),
    requestId: z.string(),
    recordedAt: z.iso.datetime(),
    restoredFrom: z.int().nullable(),
  })
  .openapi('EntryVersion')

const difference = z.strictObject({
  op: z.enum(['add', 'remove', 'replace']),
  pointer: z.string(),
  before: value.optional(),
  after: value.optional(),
})

const unit: z.ZodType<UnitChanges> = z
  .strictObject({
    revision,
    changes: z.array(z.strictObject({ component: z.string(), key: z.string(), scope: z.string(), version: z.int(), op })),
  })
  .openapi('UnitChanges') as unknown as z.ZodType<UnitChanges>

/** The bodies of the configuration endpoints: those that are read are validated by these, and all are described by them. */
export const bodies: Readonly<{
  put: z.ZodType<{ value: JsonValue; reason: string }>
  rollback: z.ZodType<{ toVersion: number; reason: string }>
  resolved: z.ZodType
  entry: z.ZodType
  snapshot: z.ZodType
  components: z.ZodType
  versions: z.ZodType
  diff: z.ZodType
  changes: z.ZodType
  difference: z.ZodType
}> = {
  put: z.strictObject({ value, reason }).openapi('PutEntry'),
  rollback: z.strictObject({ toVersion: z.int().min(1), reason }).openapi('RollbackEntry'),
  resolved,
  entry,
  snapshot: z
    .strictObject({
      component: z.string(),
      scope: z.string(),
      revision,
      cursor: z.string().openapi({ description: 'Where a watch goes on from this snapshot' }),
      entries: z.array(resolved),
    })
    .openapi('ComponentSnapshot'),
  components: z
    .strictObject({
      items: z.array(z.strictObject({ component: z.string(), entries: z.int(), revision })),
      nextCursor: z.string().nullable(),
      revision: revision.openapi({ description: 'The head of the store' }),
      cursor: z.string().openapi({ description: 'The head as a cursor for watches' }),
    })
    .openapi('ComponentList'),
  versions: z.strictObject({ items: z.array(entry), nextCursor: z.string().nullable() }).openapi('VersionList'),
  diff: z
    .strictObject({ component: z.string(), key: z.string(), scope: z.string(), from: entry, to: entry, differences: z.array(difference) })
    .openapi('VersionDiff'),
  difference,
  changes: z.strictObject({ cursor: z.string(), units: z.array(unit) }).openapi('Changes'),
}
