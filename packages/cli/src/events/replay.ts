import type { DeadLetter, Uuid } from '@cbp/core'
import { deadLetterBody } from '@cbp/http/bodies'
import { err, ok, Result, safeTry } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import { type Actor, actorOf } from '../identity/actor.ts'
import { readId } from '../inputs.ts'
import { exitCodes, type Failure, usageFailure } from '../output/failure.ts'
import type { Style } from '../output/style.ts'
import { renderTable } from '../output/table.ts'
import { type PageRequest, readPages } from '../paging.ts'
import { type Action, type Answer, interruption, type Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { deadLetterFields } from './event-answers.ts'

export type ReplayOptions = Readonly<{ all?: boolean; consumer?: string }>

export const replayDeadLetters: Action<[ids: readonly string[]], ReplayOptions> = async (session, options, ids) => {
  const wanted = readWanted(ids, options)
  if (wanted.isErr()) return err(wanted.error)
  const [single] = wanted.value
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const actor = yield* await actorOf(session, open)
      if (options.all !== true && wanted.value.length === 1 && single !== undefined) {
        return ok(replayedAnswer(yield* await replayOne(session, open, actor, single)))
      }
      const letters = options.all === true ? yield* await waiting(session, open, options.consumer ?? null) : wanted.value
      return ok(summaryOf(yield* await replayEach(session, open, actor, letters)))
    }),
  )
}

function readWanted(ids: readonly string[], { all, consumer }: ReplayOptions): Result<readonly Uuid[], Failure> {
  if (all === true && ids.length > 0) return err(usageFailure('wrong-usage', 'Both ids and --all are given.', 'Leave out either.'))
  if (all !== true && consumer !== undefined) return err(usageFailure('wrong-usage', '--consumer needs --all.', 'Add --all.'))
  if (all !== true && ids.length === 0) {
    return err(usageFailure('wrong-usage', 'Nothing to replay was named.', 'Name ids, or add --all. List them with: cbp events dead'))
  }
  return Result.combine([...new Set(ids)].map((id) => readId('dead letter', id, 'cbp events dead')))
}

/** The oldest first, so that the events of a stream are applied in their order. */
function waiting(session: Session, { core }: OpenCore, consumer: string | null): Promise<Result<readonly Uuid[], Failure>> {
  const everything: PageRequest<Uuid> = { start: null, limit: 0, all: true }
  const pages = readPages(session, everything, (before, limit) => core.events.deadLetters({ consumer, state: 'dead' }, before, limit))
  return pages.then((page) => page.map(({ items }) => items.map(({ id }) => id).reverse()))
}

/** As soon as the cap of replays allows. */
async function replayOne(session: Session, { core }: OpenCore, { caller }: Actor, id: Uuid): Promise<Result<DeadLetter, Failure>> {
  const { clock } = await session.host.waiting()
  const { cancel } = session.io
  for (;;) {
    if (cancel.aborted) return err(interruption(cancel))
    const replayed = await settle(session, core.events.replayDeadLetter(id, caller))
    if (replayed.isOk() || replayed.error.code !== 'too-many-replays') return replayed
    await clock.sleep(Math.max(1, Number(replayed.error.members?.['retryAfterMs'])), cancel)
  }
}

type Replayed = Readonly<{ id: Uuid; failure: Failure | null }>

const progressEveryMs = 1_000

/** What one letter is refused for concerns no other; a store that is away or an interruption ends it all. */
async function replayEach(
  session: Session,
  open: OpenCore,
  actor: Actor,
  ids: readonly Uuid[],
): Promise<Result<readonly Replayed[], Failure>> {
  const { clock } = await session.host.waiting()
  const outcomes: Replayed[] = []
  let toldAt = clock.now()
  for (const id of ids) {
    const replayed = await replayOne(session, open, actor, id)
    if (replayed.isErr() && !concernsOne(replayed.error)) return err(atPoint(replayed.error, outcomes, ids.length))
    outcomes.push({ id, failure: replayed.isErr() ? replayed.error : null })
    if (clock.now() - toldAt < progressEveryMs || outcomes.length === ids.length) continue
    toldAt = clock.now()
    session.progress(`${outcomes.length} of ${ids.length}`)
  }
  return ok(outcomes)
}

function concernsOne({ exitCode }: Failure): boolean {
  return exitCode === exitCodes.refused || exitCode === exitCodes.conflict || exitCode === exitCodes.notFound
}

function atPoint(failure: Failure, outcomes: readonly Replayed[], total: number): Failure {
  return { ...failure, members: { ...failure.members, ...countsOf(outcomes), left: total - outcomes.length } }
}

function countsOf(outcomes: readonly Replayed[]): Readonly<{ replayed: number; failed: number }> {
  const failed = outcomes.filter(({ failure }) => failure !== null).length
  return { replayed: outcomes.length - failed, failed }
}

function replayedAnswer(letter: DeadLetter): Answer {
  return {
    json: deadLetterBody(letter),
    text: (style) => `${style.paint('green', '✔')} The event is applied.\n${deadLetterFields(style, letter)}`,
  }
}

function summaryOf(outcomes: readonly Replayed[]): Answer {
  const { replayed, failed } = countsOf(outcomes)
  const items = outcomes.map(({ id, failure }) =>
    failure === null ? { id, outcome: 'replayed' } : { id, outcome: 'failed', code: failure.code, detail: failure.detail },
  )
  return {
    json: { replayed, failed, items },
    text: (style) => `${failuresTable(style, outcomes)}${replayed} of ${outcomes.length} dead letters were applied.\n`,
    exitCode: failed === 0 ? exitCodes.done : exitCodes.refused,
  }
}

function failuresTable(style: Style, outcomes: readonly Replayed[]): string {
  const rows = outcomes.flatMap(({ id, failure }) => (failure === null ? [] : [[id, failure.detail]]))
  return rows.length === 0 ? '' : renderTable(style, [{ title: 'not applied' }, { title: 'why' }], rows)
}
