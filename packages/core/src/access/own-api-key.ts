import { err, ok, type Result } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Viewer } from '../kernel/viewer.ts'
import type { ApiKeyNotFound } from './access-service.ts'
import { type ApiKey, maySeeKey } from './api-key.ts'
import type { ApiKeyRecords } from './ports/api-key-store.ts'

/** Those of others look as if they did not exist. */
export function visibleKey(found: ApiKey | null, viewer: Viewer, id: string): Result<ApiKey, ApiKeyNotFound> {
  return found !== null && maySeeKey(viewer, found) ? ok(found) : err({ kind: 'api-key-not-found', id })
}

export async function findVisible(
  { apiKeys }: ApiKeyRecords,
  viewer: Viewer,
  id: ApiKey['id'],
): Promise<Result<ApiKey, ApiKeyNotFound | StoreUnavailable>> {
  const found = await apiKeys.find({ id })
  return found.isErr() ? err(found.error) : visibleKey(found.value, viewer, id)
}
