import type { Stream, StreamState } from '@cbp/core'
import { streamBody } from '@cbp/http/bodies'
import { ok, safeTry } from 'neverthrow'
import type { Failure } from '../output/failure.ts'
import { plain } from '../output/style.ts'
import { renderTable } from '../output/table.ts'
import { readPages } from '../paging.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { existingStream, streamFields } from './event-answers.ts'

export type StreamsOptions = Readonly<{ blocked?: boolean; after?: string; limit: number; all?: boolean }>

const columns = [
  { title: 'stream' },
  { title: 'events', align: 'right' },
  { title: 'confirmed', align: 'right' },
  { title: 'waiting', align: 'right' },
  { title: 'refusals', align: 'right' },
  { title: 'blocked' },
] as const

export const listStreams: Action<[], StreamsOptions> = (session, { blocked, after, limit, all = false }) =>
  usingCore(session, ({ core }) =>
    safeTry<Answer, Failure>(async function* () {
      const filter = { blocked: blocked === true ? true : null }
      const request = { start: after === undefined ? null : (after as Stream), limit, all }
      // One more than asked for tells whether there are more.
      const page = yield* await readPages(session, request, (from, count) =>
        core.events.streams(filter, from, count + 1).map((states) => {
          const items = states.slice(0, count)
          return { items, next: states.length > count ? (items.at(-1)?.stream ?? null) : null }
        }),
      )
      if (page.next !== null) session.progress(`More streams: add --after ${plain(page.next)}, or --all`)
      const nothing = blocked === true ? 'No stream is blocked.\n' : 'There are no streams.\n'
      return ok<Answer, Failure>({
        json: { items: page.items.map(streamBody), nextAfter: page.next },
        text: (style) => (page.items.length === 0 ? nothing : renderTable(style, columns, page.items.map(rowOf))),
      })
    }),
  )

function rowOf({ stream, last, confirmed, refusals, blocked }: StreamState): readonly string[] {
  const reason = blocked === null ? '' : `#${blocked.sequence}: ${blocked.reason}`
  return [stream, String(last), String(confirmed), String(last - confirmed), String(refusals), reason]
}

export const unblockStream: Action<[stream: string], unknown> = (session, _options, name) =>
  usingCore(session, ({ core }) =>
    safeTry<Answer, Failure>(async function* () {
      const state = yield* existingStream(name, yield* settle(session, core.events.unblock(name as Stream)))
      return ok<Answer, Failure>({
        json: streamBody(state),
        text: (style) => `${style.paint('green', '✔')} The stream goes on; a serving instance sends it.\n${streamFields(style, state)}`,
      })
    }),
  )
