import { type AuditFault, type AuditVerdict, formatAnchor, parseAnchor, timestamp } from '@cbp/core'
import { auditVerdictBody } from '@cbp/http/bodies'
import { err } from 'neverthrow'
import { failureOf } from '../output/core-failures.ts'
import { exitCodes, usageFailure } from '../output/failure.ts'
import { plain, type Style } from '../output/style.ts'
import { renderTable } from '../output/table.ts'
import { type Action, type Answer, interruption } from '../session.ts'
import { inTime, usingCore } from '../settle.ts'

/** The log may be long, and is followed to its end; an interruption ends it. */
const deadlineMs = 2 ** 31 - 1
const tellEvery = 10_000

export const verifyAudit: Action<[], Readonly<{ anchor?: string }>> = async (session, { anchor: text }) => {
  const anchor = text === undefined ? null : parseAnchor(text)
  if (text !== undefined && anchor === null) {
    return err(usageFailure('invalid-anchor', `An anchor is <number>:<MAC>, not "${plain(text)}".`, 'Take it from the log of the service.'))
  }
  return usingCore(session, async ({ core }) => {
    let told = 0
    const verifying = core.audit.verify(anchor, (checked, of) => {
      if (checked - told < tellEvery) return
      told = checked
      session.progress(`${checked} of ${of} records`)
    })
    const verdict = await inTime(session.io.cancel, verifying, deadlineMs)
    if (typeof verdict === 'string') return err(interruption(session.io.cancel))
    return verdict.map(answerOf).mapErr(failureOf)
  })
}

function answerOf(verdict: AuditVerdict): Answer {
  const intact = verdict.faults.length === 0
  return {
    json: auditVerdictBody(verdict),
    text: (style) => (intact ? intactText(style, verdict) : faultText(style, verdict)),
    exitCode: intact ? exitCodes.done : exitCodes.refused,
  }
}

function intactText(style: Style, { checked, head, recordedAt }: AuditVerdict): string {
  if (head === null) return `${style.paint('green', '✔')} The audit log is empty.\n`
  const until = recordedAt === null ? '' : `, the last of ${timestamp(recordedAt)}`
  return `${style.paint('green', '✔')} ${checked} records fit${until}.\nAnchor to note elsewhere: ${formatAnchor(head)}\n`
}

const meanings: Readonly<Record<AuditFault['reason'], string>> = {
  changed: 'was changed',
  missing: 'was removed',
  'out-of-place': 'was swapped, moved or added',
  'unknown-key': 'names a key that is not there, or does not open',
  'cut-off': 'is missing, and what came after it',
  'head-changed': 'is the last one, but the head of the chain says otherwise',
}

function faultText(style: Style, { checked, faults }: AuditVerdict): string {
  const rows = faults.map(({ number, reason }) => [String(number), reason, meanings[reason]])
  const table = renderTable(style, [{ title: 'record', align: 'right' }, { title: 'fault' }, { title: 'what it means' }], rows)
  return `${style.paint(['red', 'bold'], '✘')} The audit log does not fit; ${checked} records were checked.\n${table}`
}
