import {
  type AsOf,
  type Component,
  type ComponentList,
  type ComponentSummary,
  formatCursor,
  type Head,
  parseComponent,
  parseScope,
  type ResolvedEntry,
  type Scope,
} from '@cbp/core'
import { snapshotBody } from '@cbp/http/bodies'
import { err, ok, type Result, safeTry } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import { type Failure, usageFailure } from '../output/failure.ts'
import { briefJson } from '../output/json-text.ts'
import { renderTable } from '../output/table.ts'
import type { Action, Answer, Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readAsOf, readName } from './inputs.ts'

export type ListOptions = Readonly<{ scope: string; asOf?: string }>

const pageSize = 500
const valueWidth = 80

export const listSettings: Action<[component: string | undefined], ListOptions> = async (session, options, component) => {
  if (component === undefined) return listComponents(session, options)
  const inputs = safeTry(function* () {
    return ok({
      component: yield* readName(parseComponent(component)),
      scope: yield* readName(parseScope(options.scope)),
      asOf: yield* readAsOf(options.asOf),
    })
  })
  if (inputs.isErr()) return err(inputs.error)
  return usingCore(session, (open) => listOne(session, open, inputs.value))
}

async function listComponents(session: Session, { scope, asOf }: ListOptions): Promise<Result<Answer | null, Failure>> {
  if (scope !== '/' || asOf !== undefined) {
    return err(
      usageFailure('wrong-usage', '--scope and --as-of need a component.', 'Name one: cbp config list payments --scope /production'),
    )
  }
  return usingCore(session, ({ core }) =>
    safeTry<Answer, Failure>(async function* () {
      const items: ComponentSummary[] = []
      for (let after: Component | null = null; ; ) {
        const page: ComponentList = yield* settle(session, core.config.components({ after, limit: pageSize }))
        items.push(...page.items)
        after = page.next
        if (after === null) return ok(componentsAnswer(items, page.head))
      }
    }),
  )
}

function componentsAnswer(items: readonly ComponentSummary[], head: Head): Answer {
  const columns = [{ title: 'component' }, { title: 'entries', align: 'right' }, { title: 'last revision', align: 'right' }] as const
  const rows = items.map(({ component, entries, revision }) => [component, String(entries), revision === 0 ? '-' : String(revision)])
  return { json: { items, revision: head.revision, cursor: formatCursor(head) }, text: (style) => renderTable(style, columns, rows) }
}

function listOne(
  session: Session,
  { core }: OpenCore,
  { component, scope, asOf }: Readonly<{ component: Component; scope: Scope; asOf: AsOf | null }>,
): PromiseLike<Result<Answer, Failure>> {
  return settle(session, core.config.snapshot(component, scope, asOf)).map((snapshot): Answer => {
    const columns = [
      { title: 'key' },
      { title: 'value' },
      { title: 'from' },
      { title: 'version', align: 'right' },
      { title: 'revision', align: 'right' },
    ] as const
    const rows = snapshot.entries.map((entry) => [
      entry.key,
      briefJson(entry.value, valueWidth),
      originsOf(entry),
      String(entry.version),
      String(entry.revision),
    ])
    const nothing = `Nothing is set for ${component} at ${scope} or above it.\n`
    return { json: snapshotBody(snapshot), text: (style) => (rows.length === 0 ? nothing : renderTable(style, columns, rows)) }
  })
}

/** The scopes that a value is made of. */
function originsOf({ provenance }: ResolvedEntry): string {
  return [...new Set(provenance.map(({ scope }) => scope ?? '(shipped)'))].sort().join(' ')
}
