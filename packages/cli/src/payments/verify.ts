import type { Verification } from '@cbp/core'
import { verificationBody } from '@cbp/http/bodies'
import { err, ok, safeTry } from 'neverthrow'
import { actorOf } from '../identity/actor.ts'
import { exitCodes, type Failure } from '../output/failure.ts'
import { plain, type Style } from '../output/style.ts'
import { renderTable } from '../output/table.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readPaymentId } from './inputs.ts'

export const verifyPayment: Action<[id: string], unknown> = async (session, _options, id) => {
  const read = readPaymentId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const verification = yield* settle(session, open.core.payments.verify(viewer, read.value))
      return ok<Answer, Failure>({
        json: verificationBody(verification),
        text: (style) => verificationText(style, verification),
        exitCode: verification.verified ? exitCodes.done : exitCodes.refused,
      })
    }),
  )
}

const columns = [{ title: 'what differs' }, { title: 'here' }, { title: 'at the Payment Service' }] as const

function verificationText(style: Style, { payment, verified, remote, discrepancies }: Verification): string {
  const mark = verified ? style.paint('green', '✔') : style.paint('red', '✘')
  const verdict = verified ? 'Both agree' : 'Not verified'
  const theirs = remote === null ? 'the Payment Service knows nothing of it' : `the Payment Service says ${plain(remote.status)}`
  const headline = `${mark} ${verdict}: here the payment is ${payment.status}; ${theirs}.\n`
  if (discrepancies.length === 0) return headline
  return `${headline}${renderTable(
    style,
    columns,
    discrepancies.map((each) => [each.kind, each.ours, each.theirs]),
  )}`
}
