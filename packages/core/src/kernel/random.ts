/** Port: randomness for jitter, never for secrets. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number
}

/**
 * Full jitter: a uniform delay between 0 and an exponentially growing bound.
 *
 * @param attempt 1 for the first retry
 * @returns milliseconds
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function fullJitterMs(random: Random, attempt: number, baseMs: number, capMs: number): number {
  const bound = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30))
  return Math.floor(random.fraction() * bound)
}
