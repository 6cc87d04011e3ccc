import type { ServerResponse } from 'node:http'
import { type ConfigWatch, formatCursor, type UnitChanges, type WatchBatch } from '@cbp/core'
import type { FarewellReason, Lifecycle } from '../server/lifecycle.ts'
import { turns } from './turns.ts'

export const defaultHeartbeatMs = 15_000
/** A connection that takes nothing for so long is dead, or might as well be. */
const stuckAfterMs = 60_000
const retryHintMs = 2_000
/** A revision wakes every watcher at once; were they all written to at once, the next write would wait for all of them. */
const writesPerTurn = 64
const takeTurn = turns(writesPerTurn)

export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  vary: 'Authorization',
  'x-accel-buffering': 'no',
}

export type ChangeStream = Readonly<{
  watch: ConfigWatch
  /** The part of a unit that may be told; the unit itself when it is all of it. */
  visible: (unit: UnitChanges) => UnitChanges | null
  lifecycle: Lifecycle
  now: () => number
  heartbeatMs: number
  endsAtMs: number
  /** Whether to tell the head at once, so that a watcher without a cursor has one from the start. */
  tellsStart: boolean
}>

type Line = {
  readonly outgoing: ServerResponse
  farewell: FarewellReason | 'gone' | null
  closed: boolean
}

/**
 * Writes server-sent events to the raw response until either side ends it. While the socket is full nothing is asked of
 * the watch, which keeps its place: a slow consumer costs one batch of memory, however far it falls behind.
 */
export function streamChanges(outgoing: ServerResponse, headers: Readonly<Record<string, string>>, stream: ChangeStream): Promise<void> {
  open(outgoing, headers, stream)
  return tellUntilEnd(outgoing, stream)
}

function tellUntilEnd(outgoing: ServerResponse, stream: ChangeStream): Promise<void> {
  const { watch, lifecycle } = stream
  const line: Line = { outgoing, farewell: null, closed: outgoing.destroyed }
  const release = lifecycle.admit({
    end: (reason) => {
      line.farewell = reason
      watch.close()
    },
  })
  outgoing.once('close', () => {
    line.closed = true
    watch.close()
  })
  return tell(line, stream).finally(() => {
    release()
    watch.close()
    if (!line.closed) say(line, stream)
  })
}

function open(outgoing: ServerResponse, headers: Readonly<Record<string, string>>, { watch, tellsStart }: ChangeStream): void {
  outgoing.writeHead(200, headers)
  outgoing.socket?.setNoDelay(true)
  const beginning = tellsStart ? heartbeatText({ units: [], cursor: watch.cursor() }) : ''
  outgoing.write(`retry: ${retryHintMs}\n\n${beginning}`)
}

async function tell(line: Line, stream: ChangeStream): Promise<void> {
  const { watch, visible, now, heartbeatMs, endsAtMs } = stream
  let beatAtMs = now() + heartbeatMs
  while (!line.closed && line.farewell === null) {
    if (now() >= endsAtMs) {
      line.farewell = 'token-expired'
      return
    }
    const batch = await watch.next(Math.max(0, Math.min(beatAtMs, endsAtMs) - now()))
    if (line.closed) return
    if (batch.isErr()) {
      line.farewell = batch.error.kind === 'cursor-gone' ? 'gone' : 'store-unavailable'
      return
    }
    const changes = batch.value.units.map((unit) => changeText(unit, visible, batch.value.cursor.epoch)).join('')
    const turn = changes === '' ? null : takeTurn()
    if (turn !== null) {
      await turn
      if (line.closed) return
    }
    const beats = changes === '' && now() >= beatAtMs
    if (changes === '' && !beats) continue
    beatAtMs = now() + heartbeatMs
    const accepted = line.outgoing.write(beats ? heartbeatText(batch.value) : changes)
    if (!accepted && !(await drained(line, Math.min(stuckAfterMs, Math.max(0, endsAtMs - now()))))) return
  }
}

/** Resolves with whether the socket took everything in time; else the connection is cut. */
function drained(line: Line, waitMs: number): Promise<boolean> {
  const { outgoing } = line
  return new Promise((resolve) => {
    const settle = (isDrained: boolean): void => {
      clearTimeout(timer)
      outgoing.off('drain', onDrain)
      outgoing.off('close', onClose)
      resolve(isDrained)
    }
    const onDrain = (): void => settle(true)
    const onClose = (): void => settle(false)
    const timer = setTimeout(() => {
      outgoing.destroy()
      settle(false)
    }, waitMs)
    outgoing.once('drain', onDrain)
    outgoing.once('close', onClose)
  })
}

/** The last words: why it ends, and with it what the client should do. */
function say({ outgoing, farewell }: Line, { watch }: ChangeStream): void {
  if (farewell === 'gone') outgoing.end('event: gone\ndata: {"type":"/problems/cursor-gone","code":"cursor-gone"}\n\n')
  else outgoing.end(`event: bye\nid: ${formatCursor(watch.cursor())}\ndata: {"reason":"${farewell ?? 'shutdown'}"}\n\n`)
}

function heartbeatText({ cursor }: WatchBatch): string {
  return `event: heartbeat\nid: ${formatCursor(cursor)}\ndata: {"revision":${cursor.revision}}\n\n`
}

/** Watchers that take all of a unit share its object, and so its text. */
const texts = new WeakMap<UnitChanges, Readonly<{ epoch: string; text: string }>>()

function changeText(unit: UnitChanges, visible: ChangeStream['visible'], epoch: string): string {
  const seen = visible(unit)
  if (seen === null) return ''
  const known = texts.get(seen)
  if (known !== undefined && known.epoch === epoch) return known.text
  const { revision, changes } = seen
  const text = `event: change\nid: ${epoch}.${revision}\ndata: ${JSON.stringify({ revision, changes })}\n\n`
  texts.set(seen, { epoch, text })
  return text
}
