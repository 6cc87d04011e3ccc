import { err, type Result, ResultAsync } from 'neverthrow'
import type { OpenCore } from './host.ts'
import { type CoreFailure, failureOf } from './output/core-failures.ts'
import { type Failure, unavailable } from './output/failure.ts'
import { type Answer, interruption, type Session } from './session.ts'

/** Longer than an adapter may take to find out for itself, so that its own words are heard first. */
const answerDeadlineMs = 30_000
const closeDeadlineMs = 10_000

/** Opens core, works with it, and closes it whatever happens. */
export async function usingCore<T extends Answer | null>(
  session: Session,
  work: (open: OpenCore) => PromiseLike<Result<T, Failure>>,
): Promise<Result<T, Failure>> {
  const opened = await session.host.openCore(session)
  if (opened.isErr()) return err(opened.error)
  try {
    return await work(opened.value)
  } finally {
    await inTime(session.io.cancel, opened.value[Symbol.asyncDispose](), closeDeadlineMs, { ignoresCancel: true })
  }
}

/** Waits for a use case: not longer than the deadline, and not beyond an interruption. */
export function settle<T, E extends CoreFailure>({ io }: Session, asked: ResultAsync<T, E>): ResultAsync<T, Failure> {
  return new ResultAsync(
    inTime(io.cancel, asked.mapErr<Failure>(failureOf), answerDeadlineMs).then((result) => {
      if (result === 'late') return err(storeIsLate())
      return result === 'cancelled' ? err(interruption(io.cancel)) : result
    }),
  )
}

function storeIsLate(): Failure {
  return unavailable(
    'deadline-exceeded',
    `The store did not answer within ${answerDeadlineMs / 1000} s.`,
    'A write may or may not have been made: read the entry before you write again.',
  )
}

/** The outcome of `work`, unless the deadline or an interruption comes first. Rejects as `work` does. */
export async function inTime<T>(
  cancel: AbortSignal,
  work: PromiseLike<T>,
  ms: number,
  { ignoresCancel = false }: Readonly<{ ignoresCancel?: boolean }> = {},
): Promise<T | 'late' | 'cancelled'> {
  const finished = new AbortController()
  const { promise, resolve } = Promise.withResolvers<'late' | 'cancelled'>()
  const timer = setTimeout(() => resolve('late'), ms)
  if (!ignoresCancel) {
    if (cancel.aborted) resolve('cancelled')
    cancel.addEventListener('abort', () => resolve('cancelled'), { signal: finished.signal })
  }
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    finished.abort()
  }
}
