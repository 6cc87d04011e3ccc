import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Page, pageOf } from '../kernel/page.ts'
import type { AccessService, ApiKeyNotFound, ApiKeyWithUse } from './access-service.ts'
import { statusOf } from './api-key.ts'
import { visibleKey } from './own-api-key.ts'
import type { ApiKeyStore } from './ports/api-key-store.ts'

type Dependencies = Readonly<{ store: ApiKeyStore; clock: Clock }>

export function readApiKeys(deps: Dependencies): Pick<AccessService, 'apiKey' | 'apiKeys'> {
  return {
    apiKey: (viewer, id) => new ResultAsync(readOne(deps, viewer, id)),
    apiKeys: (viewer, before, limit) => new ResultAsync(readPage(deps, viewer, before, limit)),
  }
}

type Viewer = Parameters<AccessService['apiKey']>[0]

async function readOne(deps: Dependencies, viewer: Viewer, id: Uuid): Promise<Result<ApiKeyWithUse, ApiKeyNotFound | StoreUnavailable>> {
  const found = await deps.store.apiKey(id)
  if (found.isErr()) return err(found.error)
  const key = visibleKey(found.value, viewer, id)
  if (key.isErr()) return err(key.error)
  const uses = await deps.store.apiKeyUses([id])
  return uses.map(([use]) => ({ key: key.value, status: statusOf(key.value, deps.clock.now()), use: use ?? null }))
}

async function readPage(
  deps: Dependencies,
  { client, seesAll }: Viewer,
  before: Uuid | null,
  limit: number,
): Promise<Result<Page<ApiKeyWithUse, Uuid>, StoreUnavailable>> {
  const rows = await deps.store.apiKeys(seesAll ? null : client, before, limit + 1)
  if (rows.isErr()) return err(rows.error)
  const page = pageOf(rows.value, limit, ({ id }) => id)
  if (page.items.length === 0) return ok({ items: [], next: null })
  const uses = await deps.store.apiKeyUses(page.items.map(({ id }) => id))
  if (uses.isErr()) return err(uses.error)
  const byKey = new Map(uses.value.map((use) => [use.keyId, use]))
  const now = deps.clock.now()
  return ok({ items: page.items.map((key) => ({ key, status: statusOf(key, now), use: byKey.get(key.id) ?? null })), next: page.next })
}
