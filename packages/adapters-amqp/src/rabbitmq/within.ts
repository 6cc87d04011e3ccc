import { type Clock, cancelSource } from '@cbp/core'

/** A queue whose nodes are not all there can keep a declaration waiting without end; another node may answer. */
export const declareTimeoutMs = 10_000

/** Answers `undefined` when it takes longer. */
export async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  const timer = cancelSource()
  const answer = await Promise.race([promise, clock.sleep(ms, timer.signal).then(() => undefined)])
  timer.cancel()
  return answer
}
