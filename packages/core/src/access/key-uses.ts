import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import type { UnitOfWork } from '../kernel/unit-of-work.ts'
import type { ApiKeyRecords } from './ports/api-key-store.ts'

type Dependencies = Readonly<{ unitOfWork: UnitOfWork<ApiKeyRecords>; clock: Clock; log: Log }>

export type KeyUses = Readonly<{
  note: (id: Uuid) => void
  /** Writes down what was noted since; what cannot be written is kept for the next time. */
  write: () => Promise<void>
}>

const minuteMs = 60_000
const keysPerUnit = 200

/** When keys were used last: noted in memory, written to the minute. What a process has not written dies with it. */
export function keyUses({ unitOfWork, clock, log }: Dependencies): KeyUses {
  let noted = new Map<Uuid, Instant>()
  return {
    note: (id) => {
      noted.set(id, clock.now())
    },
    async write() {
      // In one order everywhere, so that instances do not wait for each other in a ring.
      const taken = [...noted].sort(([left], [right]) => (left < right ? -1 : 1))
      noted = new Map()
      for (let from = 0; from < taken.length; from += keysPerUnit) {
        const batch = taken.slice(from, from + keysPerUnit)
        const written = await unitOfWork.run((tx) => new ResultAsync(writeUses(tx, batch)))
        if (written.isOk()) continue
        log.write('warn', 'when API keys were used cannot be written down', { keys: taken.length - from, reason: written.error.reason })
        for (const [id, at] of taken.slice(from)) noted.set(id, Math.max(at, noted.get(id) ?? 0))
        return
      }
    },
  }
}

async function writeUses(
  { apiKeyUses }: ApiKeyRecords,
  batch: readonly (readonly [Uuid, Instant])[],
): Promise<Result<void, StoreUnavailable>> {
  const found = await Promise.all(batch.map(([keyId]) => apiKeyUses.find({ keyId })))
  for (const [index, [keyId, at]] of batch.entries()) {
    const stored = found[index]
    if (stored === undefined) continue
    if (stored.isErr()) return err(stored.error)
    const use = { keyId, lastUsedAt: at - (at % minuteMs) }
    if (stored.value === null) apiKeyUses.insert(use)
    else if (use.lastUsedAt > stored.value.lastUsedAt) apiKeyUses.update(use)
  }
  return ok()
}
