import type { EntryVersion, ResolvedEntry } from '@cbp/core'
import { entryBody, resolvedBody } from '@cbp/http/bodies'
import { err, ok, safeTry } from 'neverthrow'
import type { Failure } from '../output/failure.ts'
import { prettyJson } from '../output/json-text.ts'
import { renderTable } from '../output/table.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readAddress, readAsOf } from './inputs.ts'

export type GetOptions = Readonly<{ scope: string; raw?: boolean; asOf?: string; provenance?: boolean }>

export const getSetting: Action<[component: string, key: string], GetOptions> = async (session, options, component, key) => {
  const inputs = readAddress(component, key, options.scope).andThen((at) => readAsOf(options.asOf).map((asOf) => ({ at, asOf })))
  if (inputs.isErr()) return err(inputs.error)
  const { at, asOf } = inputs.value
  return usingCore(session, ({ core }) =>
    safeTry<Answer, Failure>(async function* () {
      if (options.raw === true) return ok(rawAnswer(yield* settle(session, core.config.entry(at, asOf))))
      const entry = yield* settle(session, core.config.get(at, asOf))
      return ok(options.provenance === true ? provenanceAnswer(entry) : valueAnswer(entry))
    }),
  )
}

function rawAnswer(version: EntryVersion): Answer {
  return { json: entryBody(version), text: () => `${prettyJson(version.value)}\n` }
}

function valueAnswer(entry: ResolvedEntry): Answer {
  return { json: resolvedBody(entry), text: () => `${prettyJson(entry.value)}\n` }
}

function provenanceAnswer(entry: ResolvedEntry): Answer {
  const columns = [
    { title: 'part' },
    { title: 'value' },
    { title: 'scope' },
    { title: 'version', align: 'right' },
    { title: 'revision', align: 'right' },
  ] as const
  const rows = entry.provenance.map(({ pointer, scope, version, revision }) => [
    pointer === '' ? '(all)' : pointer,
    JSON.stringify(valueAt(entry.value, pointer)),
    scope ?? '(shipped)',
    String(version),
    String(revision),
  ])
  return { json: resolvedBody(entry), text: (style) => renderTable(style, columns, rows) }
}

/** RFC 6901, for pointers that are known to lead somewhere. */
function valueAt(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((within, token) => (within as Readonly<Record<string, unknown>>)[token], value)
}
