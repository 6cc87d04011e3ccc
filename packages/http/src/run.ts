import type { Core } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import type { AppDependencies } from './server/dependencies.ts'
import type { Listening } from './server/listen.ts'

/** Work that goes on until its signal fires. */
export type Background = Readonly<{ run: (cancel: AbortSignal) => Promise<void> }>

type Running = Readonly<{
  core: Pick<Core, 'run'>
  /** Goes on beside core's own, e.g. the sandbox that takes the place of a remote service. */
  beside?: readonly Background[]
  app: Pick<AppDependencies, 'log' | 'lifecycle'>
  listening: Pick<Listening, 'close'>
  /** Resolves when the service is to end. */
  stop: Promise<void>
  /** Ends calls to others that hang; called when the background work does not end by itself. */
  hangUp?: () => void
}>

/** Background work ended by a defect; the log has it. */
export type BackgroundFailure = Readonly<{ kind: 'background-failure' }>

/** How long calls to others may still take once the background work is told to end. */
const patienceMs = 2_000

/** Keeps the background work going until the service is to end, or that work fails, and then ends everything in order. */
export async function runUntilStopped({
  core,
  beside = [],
  app: { log, lifecycle },
  listening,
  stop,
  hangUp = () => {},
}: Running): Promise<Result<void, BackgroundFailure>> {
  const background = new AbortController()
  const logDefect = (defect: unknown): BackgroundFailure => {
    const error = defect instanceof Error ? (defect.stack ?? defect.message) : String(defect)
    log.write('error', 'the background work failed by a defect', { error })
    return { kind: 'background-failure' }
  }
  const works = [core, ...beside].map((work) => work.run(background.signal))
  const working = Promise.all(works).then(() => null, logDefect)
  await Promise.race([stop, working.then((failure) => (failure === null ? stop : undefined))])
  log.write('info', 'shutting down', { watchers: lifecycle.watchers() })
  await listening.close()
  background.abort()
  const impatience = setTimeout(hangUp, patienceMs)
  const failure = await working
  clearTimeout(impatience)
  return failure === null ? ok() : err(failure)
}
