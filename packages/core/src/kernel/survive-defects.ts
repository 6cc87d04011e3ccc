import { err, type Result, ResultAsync } from 'neverthrow'
import { type StoreUnavailable, storeUnavailable } from './failures.ts'
import type { Log } from './log.ts'

/**
 * For background loops: a port whose throws and rejections, which are defects, come back as the given error and a line in
 * the log. One defect must not end for good what every later event and watcher relies on.
 */
export function survivingDefects<T, E, Failure>(
  log: Log,
  call: () => ResultAsync<T, E>,
  asFailure: (reason: string) => Failure,
): ResultAsync<T, E | Failure> {
  return new ResultAsync(attempt(log, call, asFailure))
}

async function attempt<T, E, Failure>(
  log: Log,
  call: () => ResultAsync<T, E>,
  asFailure: (reason: string) => Failure,
): Promise<Result<T, E | Failure>> {
  try {
    return await call()
  } catch (defect) {
    return err(asFailure(noteDefect(log, defect)))
  }
}

/** Writes to the log what was thrown in a background loop; answers it as the reason of a failure. */
export function noteDefect(log: Log, defect: unknown): string {
  const reason = defect instanceof Error ? defect.message : String(defect)
  log.write('error', 'a background call failed by a defect', { reason })
  return `a defect: ${reason}`
}

/** Every method of a port to a store, so guarded. */
export function survivingStore<Port extends object>(log: Log, port: Port): Port {
  type Method = (...args: unknown[]) => ResultAsync<unknown, StoreUnavailable>
  const guarded = Object.entries(port).map(([name, method]) => [
    name,
    (...args: unknown[]) => survivingDefects(log, () => (method as Method)(...args), storeUnavailable),
  ])
  return Object.fromEntries(guarded) as Port
}
