import { type EntryVersion, timestamp } from '@cbp/core'
import { entryBody } from '@cbp/http/bodies'
import { err } from 'neverthrow'
import { briefJson } from '../output/json-text.ts'
import { renderTable } from '../output/table.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readAddress } from './inputs.ts'

export type HistoryOptions = Readonly<{ scope: string; limit: number; before?: number }>

const valueWidth = 60
const columns = [
  { title: 'version', align: 'right' },
  { title: 'revision', align: 'right' },
  { title: 'time' },
  { title: 'by' },
  { title: 'value' },
  { title: 'reason' },
] as const

export const showHistory: Action<[component: string, key: string], HistoryOptions> = async (session, options, component, key) => {
  const address = readAddress(component, key, options.scope)
  if (address.isErr()) return err(address.error)
  const { limit, before = null } = options
  return usingCore(session, ({ core }) =>
    settle(session, core.config.versions(address.value, { before, limit })).map(({ items, next }): Answer => {
      if (next !== null) session.progress(`Older versions: add --before ${next}`)
      return {
        json: { items: items.map(entryBody), nextBefore: next },
        text: (style) => renderTable(style, columns, items.map(rowOf)),
      }
    }),
  )
}

function rowOf(version: EntryVersion): readonly string[] {
  const restored = version.restoredFrom === null ? '' : ` (restored version ${version.restoredFrom})`
  return [
    String(version.version),
    String(version.revision),
    timestamp(version.recordedAt),
    version.actor,
    version.op === 'delete' ? '(removed)' : briefJson(version.value, valueWidth),
    `${version.reason}${restored}`,
  ]
}
