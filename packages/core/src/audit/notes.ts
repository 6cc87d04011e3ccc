import { ok, type Result } from 'neverthrow'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { Clock } from '../kernel/clock.ts'
import type { StoreUnavailable } from '../kernel/failures.ts'
import type { JsonObject } from '../kernel/json.ts'
import type { Log } from '../kernel/log.ts'
import type { AuditDraft } from './audit-record.ts'
import type { Refusal } from './audit-service.ts'

type Dependencies = Readonly<{
  clock: Clock
  log: Log
  /** Writes them down, in one unit. */
  write: (drafts: readonly AuditDraft[]) => Promise<Result<void, StoreUnavailable>>
}>

export type Notes = Readonly<{ note: (refusal: Refusal) => void; keep: (cancel: CancelSignal) => Promise<void> }>

const gatherMs = 60_000
/** Groups held in memory at a time. Whoever makes up more actors than that is counted, but no longer told apart. */
const groupsHeld = 256
const detailsLength = 2048
/** How long a flood of groups is written at most in one unit. */
const draftsPerUnit = 64

/** Gathers what is alike: the first of a group is kept whole, the others are counted. */
export function notes({ clock, log, write }: Dependencies): Notes {
  let groups = new Map<string, AuditDraft>()
  const add = (key: string, draft: AuditDraft): void => {
    const held = groups.get(key)
    groups.set(key, held === undefined ? draft : { ...held, count: held.count + draft.count, at: Math.min(held.at, draft.at) })
  }
  const flush = async (): Promise<Result<void, StoreUnavailable>> => {
    const gathered = [...groups]
    groups = new Map()
    for (let from = 0; from < gathered.length; from += draftsPerUnit) {
      const written = await write(gathered.slice(from, from + draftsPerUnit).map(([, draft]) => draft))
      if (written.isOk()) continue
      // What came in the meantime may be alike; past the bound, the next flush is larger by what was kept here.
      for (const [key, draft] of gathered.slice(from)) add(key, draft)
      return written
    }
    return ok()
  }
  return {
    note: ({ action, actor, subject, requestId, details }) => {
      const draft: AuditDraft = {
        action,
        outcome: 'refused',
        actor,
        subject,
        requestId,
        count: 1,
        at: clock.now(),
        details: bounded(details),
      }
      const key = JSON.stringify([action, actor, subject, draft.details])
      if (groups.has(key) || groups.size < groupsHeld) add(key, draft)
      else add(action, { ...draft, actor: '*', subject: null, requestId: null, details: { groups: 'too many to tell apart' } })
    },
    keep: async (cancel) => {
      while (!cancel.aborted) {
        await clock.sleep(gatherMs, cancel)
        const flushed = await flush()
        if (flushed.isErr())
          log.write('warn', 'refusals could not be added to the audit log', { reason: flushed.error.reason, groups: groups.size })
      }
    },
  }
}

function bounded(details: JsonObject): JsonObject {
  return JSON.stringify(details).length <= detailsLength ? details : { left: 'out: too long' }
}
