import { type ConfigService, type ConfigWatch, formatCursor, fullJitterMs, watchSelection } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { failureOf } from '../../output/core-failures.ts'
import type { Failure } from '../../output/failure.ts'
import type { Session } from '../../session.ts'
import { settle } from '../../settle.ts'
import { printUnit } from './change-lines.ts'
import type { WatchRequest } from './watch.ts'

/** How long one turn waits for changes; shorter than anyone waits for Ctrl-C to be heard. */
const turnMs = 1_000
const backoff = { baseMs: 250, capMs: 10_000 }

/** Follows the store itself until interrupted; a store that goes away is waited for. */
export async function watchStore(session: Session, config: ConfigService, request: WatchRequest): Promise<Result<null, Failure>> {
  const { cancel } = session.io
  const opened = await openWatch(session, config, request)
  if (opened.isErr()) return cancel.aborted ? ok(null) : err(opened.error)
  let watch = opened.value
  const close = (): void => watch.close()
  cancel.addEventListener('abort', close)
  let failures = 0
  try {
    while (!cancel.aborted) {
      const heard = await watch.next(turnMs)
      if (heard.isOk()) {
        failures = 0
        const { epoch } = heard.value.cursor
        for (const unit of heard.value.units) await printUnit(session, { cursor: formatCursor({ epoch, revision: unit.revision }), unit })
      } else if (heard.error.kind === 'cursor-gone') {
        if (request.strict) return err(failureOf(heard.error))
        const again = await fromTheHead(session, config, request, formatCursor(heard.error.head))
        if (again.isErr()) return err(again.error)
        watch = again.value
      } else {
        failures += 1
        if (failures === 1) session.notice('store-unavailable', `The store does not answer: ${heard.error.reason}. Waiting for it.`)
        await pause(session, failures)
      }
    }
    return ok(null)
  } finally {
    cancel.removeEventListener('abort', close)
  }
}

async function openWatch(session: Session, config: ConfigService, request: WatchRequest): Promise<Result<ConfigWatch, Failure>> {
  const selection = watchSelection(request.component, request.scope)
  const opened = await settle(session, config.watch(selection, request.since))
  if (opened.isOk() || opened.error.code !== 'cursor-gone' || request.strict) return opened
  return fromTheHead(session, config, request, String(opened.error.members?.['head']))
}

/** Between the head that was told and the watch that is opened nothing may be lost. */
async function fromTheHead(
  session: Session,
  config: ConfigService,
  request: WatchRequest,
  head: string,
): Promise<Result<ConfigWatch, Failure>> {
  tellGone(session, head)
  return settle(session, config.watch(watchSelection(request.component, request.scope), head))
}

export function tellGone({ notice }: Session, head: string): void {
  notice(
    'cursor-gone',
    `The history was replaced (a restore or a failover). Read again what you keep of it: the watch goes on from its head, ${head}.`,
  )
}

async function pause({ host, io }: Session, attempt: number): Promise<void> {
  const { clock, random } = await host.waiting()
  await clock.sleep(fullJitterMs(random, attempt, backoff.baseMs, backoff.capMs), io.cancel)
}
