import type { JsonObject, ResealReport } from '@cbp/core'
import { err, ok, type Result, type ResultAsync, safeTry } from 'neverthrow'
import { confirm } from '../confirm.ts'
import type { OpenCore } from '../host.ts'
import { actorOf } from '../identity/actor.ts'
import { type CoreFailure, failureOf } from '../output/core-failures.ts'
import { exitCodes, type Failure, refused } from '../output/failure.ts'
import { renderTable } from '../output/table.ts'
import { type Action, type Answer, interruption, type Session } from '../session.ts'
import { usingCore } from '../settle.ts'
import { type Census, takeCensus } from './census.ts'

type RotateOptions = Readonly<{ settle: number; retire?: boolean }>

/** What instances seal with an older key while they learn of the new one is found by another pass. */
const mostPasses = 3

export const rotateKeyRing: Action<[], RotateOptions> = async (session, options) =>
  usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const before = yield* takeCensus(open).mapErr(failureOf)
      const added = yield* await putNewKeyFirst(session, open, options, before)
      const done = yield* await resealAll(session, open, added === null ? {} : { added })
      const retired = options.retire === true ? yield* await retire(session, open, done) : []
      // Once more: it is on record, and what somebody has sealed with a key that is gone now would show.
      const last = retired.length === 0 ? done : yield* await resealAll(session, open, { removed: retired })
      return ok<Answer, Failure>(answerOf(open, { ...last, resealed: done.resealed, added, retired }))
    }),
  )

/** `null`: the ring stays, because another system keeps it or an earlier rotation is not over. */
async function putNewKeyFirst(
  session: Session,
  { keyRing }: OpenCore,
  { settle }: RotateOptions,
  { outstanding, lost, secrets }: Census,
): Promise<Result<string | null, Failure>> {
  const { file } = keyRing
  if (file === null) {
    session.notice(
      'ring-kept-elsewhere',
      'CBP_KEYRING is kept by another system: put the new key first there. Here everything is only sealed again.',
    )
    return ok(null)
  }
  const waiting = file.next()
  if (waiting.isErr()) return err(ringFailure(waiting.error))
  // A few that open no more must not keep the others from a new key; where none opens, the ring is the wrong one.
  const isOver = outstanding === lost && (lost === 0 || lost < secrets)
  if (waiting.value === null && !isOver) {
    session.notice(
      'rotation-goes-on',
      `${outstanding} secrets still need an older key: the rotation before goes on. Run it again for a new key.`,
    )
    return ok(null)
  }
  const added = file.addNext()
  if (added.isErr()) return err(ringFailure(added.error))
  session.progress(waiting.value === null ? `Added key ${added.value}; it opens only.` : `Key ${added.value} waits already; it opens only.`)
  const known = await settled(session, settle)
  if (known.isErr()) return err(known.error)
  const changed = file.promoteNext().andThen((id) => keyRing.refresh().map(() => id))
  if (changed.isErr()) return err(ringFailure(changed.error))
  session.progress(`Key ${changed.value} seals from now on.`)
  return (await settled(session, settle)).map(() => changed.value)
}

/** Gives instances time to read the ring. */
async function settled({ host, io, progress }: Session, settle: number): Promise<Result<void, Failure>> {
  progress(`Waiting ${settle} s for running instances …`)
  const { clock } = await host.waiting()
  await clock.sleep(settle * 1000, io.cancel)
  return io.cancel.aborted ? err(interrupted(io.cancel)) : ok()
}

function interrupted(cancel: AbortSignal): Failure {
  return { ...interruption(cancel), mend: 'Run it again: it goes on where it was.' }
}

type Resealed = Readonly<{ rows: number; resealed: number; unopened: ResealReport['unopened']; census: Census }>

async function resealAll(session: Session, open: OpenCore, ring: JsonObject): Promise<Result<Resealed, Failure>> {
  const actor = await actorOf(session, open)
  if (actor.isErr()) return err(actor.error)
  const { caller } = actor.value
  let resealed = 0
  for (let pass = 1; ; pass += 1) {
    const report = await inTold(
      open.core.sealing.reseal({ caller, ring: pass === 1 ? ring : {}, cancel: session.io.cancel, onProgress: progressOf(session) }),
    )
    if (report.isErr()) return err(report.error)
    const { rows, unopened, stopped } = report.value
    resealed += report.value.resealed
    if (stopped) return err(interrupted(session.io.cancel))
    const census = await inTold(takeCensus(open))
    if (census.isErr()) return err(census.error)
    if (census.value.outstanding <= unopened.length || pass === mostPasses) return ok({ rows, resealed, unopened, census: census.value })
  }
}

async function inTold<T, E extends CoreFailure>(asked: ResultAsync<T, E>): Promise<Result<T, Failure>> {
  return asked.mapErr<Failure>(failureOf)
}

const tellEvery = 100

function progressOf({ progress }: Session): (rows: number, resealed: number) => void {
  return (rows, resealed) => {
    if (rows % tellEvery === 0) progress(`${rows} rows looked at, ${resealed} secrets sealed again`)
  }
}

/** Only after a look at every secret: a key that one of them needs stays. */
async function retire(session: Session, { keyRing }: OpenCore, { census }: Resealed): Promise<Result<readonly string[], Failure>> {
  const { file } = keyRing
  if (file === null) return ok([])
  // As they were counted: a key that came meanwhile, such as that of a rotation elsewhere, is none of this one's to remove.
  const older = keyRing.keyIds.slice(1).filter((id) => census.byKey.get(id) === 0)
  if (census.outstanding > 0) {
    const detail = `${census.outstanding} secrets are not sealed with the current key; no key was removed.`
    return err(refused('keys-needed', detail, 'See which with: cbp keyring status'))
  }
  if (older.length === 0) return ok([])
  const agreed = await confirm(session, `Remove ${older.join(', ')}? Backups from before need them: keep a copy as long as those.`)
  if (agreed.isErr()) return err(agreed.error)
  return file
    .remove(older)
    .andThen(() => keyRing.refresh())
    .map(() => older)
    .mapErr(ringFailure)
}

function ringFailure(reason: string): Failure {
  return refused('key-ring-fault', `The key ring ${reason}.`)
}

type Outcome = Resealed & Readonly<{ added: string | null; retired: readonly string[] }>

function answerOf({ keyRing }: OpenCore, { rows, resealed, unopened, added, retired }: Outcome): Answer {
  const columns = [{ title: 'kind' }, { title: 'id' }, { title: 'reason' }]
  return {
    json: { current: keyRing.keyIds[0] ?? null, added, keys: keyRing.keyIds, rows, resealed, unopened, retired },
    text: (style) => {
      const removed = retired.length === 0 ? '' : ` Removed: ${retired.join(', ')}.`
      if (unopened.length === 0) {
        return `${style.paint('green', '✔')} ${resealed} secrets sealed again; all need ${keyRing.keyIds[0] ?? ''} alone.${removed}\n`
      }
      const table = renderTable(
        style,
        columns,
        unopened.map(({ kind, id, reason }) => [kind, id, reason]),
      )
      return `${style.paint(['red', 'bold'], '✘')} ${resealed} secrets sealed again; these do not open, and stay as they are:\n${table}`
    },
    exitCode: unopened.length === 0 ? exitCodes.done : exitCodes.refused,
  }
}
