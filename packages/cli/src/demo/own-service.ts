import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@cbp/http'
import { readSettings, type Settings } from '@cbp/http/assembly'
import { err, ok, type Result } from 'neverthrow'
import { type Failure, refused, unavailable } from '../output/failure.ts'
import { interruption, type Session } from '../session.ts'
import { inTime } from '../settle.ts'

/** A service that lives as long as the demonstration. */
export type OwnService = AsyncDisposable & Readonly<{ url: string; settings: Settings }>

const startDeadlineMs = 30_000
const stopDeadlineMs = 15_000

/** Starts a development service in this process, over a data directory of its own, on a free port. */
export async function startOwnService(session: Session): Promise<Result<OwnService, Failure>> {
  const folder = await mkdtemp(join(tmpdir(), 'cbp-demo-'))
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 })
  // Whatever the environment says of other services, this one stands alone.
  const read = readSettings({ CBP_DATA_DIR: folder, CBP_PORT: '0', CBP_LOG_LEVEL: 'error' }, folder)
  if (read.isErr()) throw new Error(`the settings of the demonstration are not acceptable: ${JSON.stringify(read.error)}`)
  const settings = read.value
  const stop = new AbortController()
  const { promise: announced, resolve: announce } = Promise.withResolvers<string>()
  const running = serve(settings, { stop: stop.signal, announce })
  const end = async (): Promise<void> => {
    stop.abort()
    await inTime(session.io.cancel, running, stopDeadlineMs, { ignoresCancel: true })
    await removeFolder()
  }
  const first = await inTime(session.io.cancel, Promise.race([announced, running]), startDeadlineMs)
  const url = typeof first === 'string' ? /^listening on (\S+)$/m.exec(first)?.[1] : undefined
  if (url !== undefined) return ok({ url, settings, [Symbol.asyncDispose]: end })
  await end()
  if (first === 'cancelled') return err(interruption(session.io.cancel))
  if (typeof first === 'object' && first.isErr()) return err(refused('serve-failure', first.error.message))
  return err(unavailable('deadline-exceeded', `The service did not start within ${startDeadlineMs / 1000} s.`))
}
