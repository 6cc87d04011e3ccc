import { errAsync, ResultAsync } from 'neverthrow'
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'

/** Which faults strike, and how long what is slow takes. */
export interface Faults<Name extends string> {
  /** One of the faults that can strike here, or `null`. */
  draw<Candidate extends Name>(candidates: readonly Candidate[]): Candidate | null
  /** Waits for some time on the clock. */
  delay(): Promise<void>
}

export type FaultPlan<Name extends string> = Faults<Name> & Readonly<{ heal(): void; counts: ReadonlyMap<Name, number> }>

type PlanOptions<Name extends string> = Readonly<{
  random: Random
  clock: Pick<Clock, 'sleep'>
  /** The probability of each fault where it can strike; those left out never do. */
  rates: Readonly<Partial<Record<Name, number>>>
  maxDelayMs?: number
}>

/** Faults by rate, the same in every run for one seed of `random`; none after `heal`. */
export function faultPlan<Name extends string>({ random, clock, rates, maxDelayMs = 100 }: PlanOptions<Name>): FaultPlan<Name> {
  const counts = new Map<Name, number>()
  let healed = false
  return {
    counts,
    heal: () => {
      healed = true
    },
    draw(candidates) {
      let left = random.fraction()
      if (healed) return null
      for (const name of candidates) {
        left -= rates[name] ?? 0
        if (left >= 0) continue
        counts.set(name, (counts.get(name) ?? 0) + 1)
        return name
      }
      return null
    },
    delay: () => clock.sleep(Math.ceil(random.fraction() * maxDelayMs)),
  }
}

/** Exactly these faults, one for each time that any can strike; none after the last. */
export function scriptedFaults<Name extends string>(
  script: readonly (Name | null)[],
  delay: () => Promise<void> = async () => {},
): Faults<Name> {
  const remaining = [...script]
  return {
    delay,
    draw(candidates) {
      const next = remaining.shift() ?? null
      if (next === null) return null
      const struck = candidates.find((candidate) => candidate === next)
      if (struck === undefined) throw new Error(`"${next}" cannot strike here, only ${candidates.join(', ')}`)
      return struck
    },
  }
}

/** What can happen to a call that answers a result: late, refused at once, or carried out with the answer lost. */
export type CallFault = 'slow' | 'unavailable-before' | 'unavailable-after'

/** Carries out `call` under the fault that was drawn. */
export function underFault<T, E, Unavailable>(
  fault: CallFault | null,
  faults: Pick<Faults<never>, 'delay'>,
  unavailable: Unavailable,
  call: () => ResultAsync<T, E>,
): ResultAsync<T, E | Unavailable> {
  switch (fault) {
    case null:
      return call()
    case 'slow':
      return afterDelay(faults, call)
    case 'unavailable-before':
      return errAsync(unavailable)
    case 'unavailable-after':
      return call().andThen(() => errAsync<T, Unavailable>(unavailable))
  }
}

export function afterDelay<T, E>(faults: Pick<Faults<never>, 'delay'>, call: () => ResultAsync<T, E>): ResultAsync<T, E> {
  return ResultAsync.fromSafePromise(faults.delay()).andThen(call)
}
