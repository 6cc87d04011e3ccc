import { cancelSource } from '../../kernel/cancel.ts'
import type { Clock } from '../../kernel/clock.ts'

/** A caller gives up on an instance that does not answer; whether the call took effect, it does not know. */
const patienceMs = 30_000

/** The answer, or `null` when there is none in time. */
export async function patiently<T>(clock: Clock, answer: PromiseLike<T>): Promise<T | null> {
  const { signal, cancel } = cancelSource()
  const first = await Promise.race([answer, clock.sleep(patienceMs, signal).then(() => null)])
  cancel()
  return first
}
