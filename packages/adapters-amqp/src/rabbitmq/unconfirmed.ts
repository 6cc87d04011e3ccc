import { type BrokerUnavailable, type Clock, cancelSource, type EventRefused, type Instant, type SequencedEvent } from '@cbp/core'
import { err, type Result } from 'neverthrow'

export type Publishing = Result<void, BrokerUnavailable | EventRefused>

/** An event between `publish` and its answer. */
export type Entry = {
  readonly event: SequencedEvent
  readonly expiresAt: Instant
  readonly answer: (publishing: Publishing) => void
  open: boolean
  /** Why the broker returned it; its confirm comes all the same. */
  returned: string | null
  /** How many were confirmed before it was sent. */
  confirmsBefore: number
}

/** What was taken and is not answered yet. Both sets are in the order of the deadlines, for all have the same length. */
export interface Unconfirmed {
  readonly waiting: Set<Entry>
  readonly inFlight: Set<Entry>
  add(event: SequencedEvent, answer: (publishing: Publishing) => void): Entry
  settle(entry: Entry, publishing: Publishing): void
  failAll(entries: ReadonlySet<Entry>, reason: string): void
  /** Resolves once everything is answered. */
  whenEmpty(): Promise<void>
}

/** @param expired answers an entry whose deadline has passed */
export function unconfirmedEvents(clock: Clock, timeoutMs: number, expired: (entry: Entry) => void): Unconfirmed {
  const waiting = new Set<Entry>()
  const inFlight = new Set<Entry>()
  const whenEmpty: (() => void)[] = []
  let wakeSleeper: (() => void) | null = null

  const settle = (entry: Entry, publishing: Publishing): void => {
    if (!entry.open) return
    entry.open = false
    inFlight.delete(entry)
    waiting.delete(entry)
    entry.answer(publishing)
    if (whenEmpty.length > 0 && inFlight.size === 0 && waiting.size === 0) {
      for (const resolve of whenEmpty.splice(0)) resolve()
      wakeSleeper?.()
    }
  }

  /** One timer for all deadlines: one for each would cost as much as the publishing. */
  const watch = async (): Promise<void> => {
    for (let next = first(inFlight, waiting); next !== null; next = first(inFlight, waiting)) {
      const remainingMs = next.expiresAt - clock.now()
      if (remainingMs <= 0) expired(next)
      else {
        const { signal, cancel } = cancelSource()
        wakeSleeper = cancel
        await clock.sleep(remainingMs, signal)
      }
    }
    wakeSleeper = null
  }

  return {
    waiting,
    inFlight,
    settle,
    add(event, answer) {
      const entry: Entry = { event, expiresAt: clock.now() + timeoutMs, answer, open: true, returned: null, confirmsBefore: 0 }
      waiting.add(entry)
      if (wakeSleeper === null) void watch()
      return entry
    },
    failAll(entries, reason) {
      for (const entry of [...entries]) settle(entry, err({ kind: 'broker-unavailable', reason }))
    },
    whenEmpty: () =>
      new Promise((resolve) => {
        whenEmpty.push(resolve)
        if (inFlight.size > 0 || waiting.size > 0) return
        whenEmpty.splice(0)
        wakeSleeper?.()
        resolve()
      }),
  }
}

function first(inFlight: ReadonlySet<Entry>, waiting: ReadonlySet<Entry>): Entry | null {
  const [sent] = inFlight
  const [queued] = waiting
  if (sent === undefined) return queued ?? null
  return queued !== undefined && queued.expiresAt < sent.expiresAt ? queued : sent
}
