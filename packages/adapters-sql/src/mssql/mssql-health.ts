import type { Clock } from '@cbp/core'
import type { Driver, PoolFigures } from './driver.ts'
import { unavailable } from './mssql-errors.ts'
import type { ServerTraits } from './server-traits.ts'

export type MssqlHealth = Readonly<{
  status: 'pass' | 'warn' | 'fail'
  /** What is wrong and how to mend it; `null` when nothing is. */
  reason: string | null
  /** The head as read just now; `null` when it cannot be. */
  revision: number | null
  /** How long that took. */
  latencyMs: number
  pool: PoolFigures
  /** Of the replica; `null` without one. */
  replica: Readonly<{ status: 'pass' | 'fail'; reason: string | null; revision: number | null }> | null
}>

const slowMs = 1_000

/** Reads the head of the primary, and of the replica where there is one. */
export function mssqlHealth(
  primary: Driver,
  replica: Driver | null,
  { hasSnapshots }: ServerTraits,
  clock: Pick<Clock, 'now'>,
): () => Promise<MssqlHealth> {
  return async () => {
    const startedAt = clock.now()
    const [head, copy] = await Promise.all([readHead(primary), replica === null ? null : readHead(replica)])
    const measured = {
      latencyMs: clock.now() - startedAt,
      pool: primary.figures(),
      replica:
        copy === null
          ? null
          : typeof copy === 'string'
            ? ({ status: 'fail', reason: copy, revision: null } as const)
            : ({ status: 'pass', reason: null, revision: copy } as const),
    }
    if (typeof head === 'string') return { status: 'fail', reason: head, revision: null, ...measured }
    const warning = warningOf(measured, hasSnapshots)
    return { status: warning === null ? 'pass' : 'warn', reason: warning, revision: head, ...measured }
  }
}

function warningOf({ latencyMs, replica }: Pick<MssqlHealth, 'latencyMs' | 'replica'>, hasSnapshots: boolean): string | null {
  if (replica?.status === 'fail') return `the replica does not answer: ${replica.reason}`
  if (latencyMs > slowMs) return `the database took ${latencyMs} ms for one row; ask the DBA what it waits for`
  if (!hasSnapshots) return 'readers wait for writers; allow snapshot isolation as docs/sql-server.md says'
  return null
}

async function readHead(driver: Driver): Promise<number | string> {
  try {
    const [[row] = []] = await driver.run({ sql: 'SELECT revision FROM store_head', parameters: {} })
    return Number(row?.['revision'] ?? 0)
  } catch (error) {
    return unavailable(error).reason
  }
}
