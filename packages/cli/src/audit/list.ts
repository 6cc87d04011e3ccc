import { type AuditAction, type AuditFilter, type AuditRecord, auditActions, timestamp } from '@cbp/core'
import { auditRecordBody } from '@cbp/http/bodies'
import { err, ok, type Result, safeTry } from 'neverthrow'
import { readInstant } from '../inputs.ts'
import { type Failure, usageFailure } from '../output/failure.ts'
import { pageAnswer } from '../output/page-answer.ts'
import { plain } from '../output/style.ts'
import type { Column } from '../output/table.ts'
import { readPages } from '../paging.ts'
import type { Action, Answer } from '../session.ts'
import { usingCore } from '../settle.ts'

type ListOptions = Readonly<{
  action?: string
  actor?: string
  subject?: string
  from?: string
  to?: string
  limit: number
  before?: number
  all?: boolean
}>

const columns: readonly Column[] = [
  { title: 'number', align: 'right' },
  { title: 'recorded' },
  { title: 'action' },
  { title: 'count', align: 'right' },
  { title: 'actor' },
  { title: 'subject' },
  { title: 'details' },
]

export const listAudit: Action<[], ListOptions> = async (session, options) => {
  const filter = readFilter(options)
  if (filter.isErr()) return err(filter.error)
  return usingCore(session, ({ core }) =>
    safeTry<Answer, Failure>(async function* () {
      const request = { start: options.before ?? null, limit: options.limit, all: options.all === true }
      const page = yield* await readPages(session, request, (before, limit) => core.audit.records(filter.value, before, limit))
      const listing = { older: 'records', none: 'There are no such records.', body: auditRecordBody, columns, row: rowOf }
      return ok<Answer, Failure>(pageAnswer(session, page, listing))
    }),
  )
}

function readFilter({ action, actor, subject, from, to }: ListOptions): Result<AuditFilter, Failure> {
  const known = auditActions.find((each) => each === action)
  if (action !== undefined && known === undefined) {
    const detail = `There is no action "${plain(action)}"; there are ${auditActions.join(', ')}.`
    return err(usageFailure('invalid-action', detail))
  }
  const asked: AuditAction | null = known ?? null
  return readInstant('--from', from).andThen((begin) =>
    readInstant('--to', to).map((end) => ({ action: asked, actor: actor ?? null, subject: subject ?? null, from: begin, to: end })),
  )
}

function rowOf({ number, recordedAt, action, count, actor, subject, details }: AuditRecord): readonly string[] {
  const told = Object.entries(details).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return [String(number), timestamp(recordedAt), action, String(count), actor, subject ?? '', told.join(' ')]
}
