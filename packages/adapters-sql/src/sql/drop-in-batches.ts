import type { Instant, StoreUnavailable } from '@cbp/core'
import { ok, okAsync, type Result, ResultAsync } from 'neverthrow'
import type { SqlEngine, SqlSession, Statement } from './engine.ts'

/** Rows in one transaction: others wait for it. */
const rowsPerBatch = 500

type Texts = Readonly<{
  /** Its rows expire at their `expires_at`. */
  table: string
  /** Keys of rows that expired at or before `@now`, at most `@limit`. */
  expired: string
  /** Drops the row under one of those keys. */
  drop: string
}>

/** Drops what has expired, at most `limit` rows; forgotten in a power loss, it is done again. Answers how many. */
export function dropInBatches(engine: SqlEngine, texts: Texts, now: Instant, limit: number): ResultAsync<number, StoreUnavailable> {
  return new ResultAsync(dropAll(engine, texts, now, limit))
}

async function dropAll(engine: SqlEngine, texts: Texts, now: Instant, limit: number): Promise<Result<number, StoreUnavailable>> {
  let dropped = 0
  while (dropped < limit) {
    const size = Math.min(rowsPerBatch, limit - dropped)
    const batch = await dropBatch(engine, texts, now, size)
    if (batch.isErr()) return batch
    dropped += batch.value
    if (batch.value < size) break
  }
  return ok(dropped)
}

function dropBatch(engine: SqlEngine, texts: Texts, now: Instant, limit: number): ResultAsync<number, StoreUnavailable> {
  const { table, expired, drop } = texts
  const { dropSome } = engine.dialect
  if (dropSome !== null) {
    const all = { sql: dropSome(table, 'expires_at <= @now'), parameters: { now, limit } }
    return engine.write('relaxed', async (session) => Number((await session.finish([all]))[0]?.[0]?.['dropped'] ?? 0))
  }
  const look = { sql: expired, parameters: { now, limit } }
  return engine
    .read([look], ([found = []]) => found.length > 0)
    .andThen((isSome) => (isSome ? engine.write('relaxed', (session) => dropFound(session, look, drop)) : okAsync(0)))
}

async function dropFound(session: SqlSession, look: Statement, drop: string): Promise<number> {
  const [keys = []] = await session.run([look])
  await session.finish(keys.map((parameters) => ({ sql: drop, parameters })))
  return keys.length
}
