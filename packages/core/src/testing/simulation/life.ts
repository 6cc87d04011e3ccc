import { ResultAsync } from 'neverthrow'
import { type CancelSignal, cancelSource } from '../../kernel/cancel.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/random.ts'

/** The life of one process: it can stop for a while, and it can end between any two steps. */
export interface Life {
  isOver(): boolean
  /** How often it has stopped for a while. */
  stalls(): number
  /** From now on nothing that this process awaits ever comes back. */
  kill(): void
  /** No more deaths or stalls by chance, and any stall ends. */
  heal(): void
  /** Carries out one call to the world, perhaps dying or stalling before or after it. */
  around<T>(call: () => PromiseLike<T>): Promise<T>
}

type Options = Readonly<{
  clock: Clock
  random: Random
  crashRate: number
  stallRate: number
  stallMs: number
  onKill: () => void
}>

export function life({ clock, random, crashRate, stallRate, stallMs, onKill }: Options): Life {
  let over = false
  let stalls = 0
  let healed = false
  let stalledUntil = 0
  let stall = cancelSource()

  const kill = (): void => {
    if (over) return
    over = true
    onKill()
  }
  const chance = (): void => {
    const drawn = random.fraction()
    if (healed) return
    if (drawn < crashRate) kill()
    else if (drawn < crashRate + stallRate) {
      stalledUntil = clock.now() + Math.ceil(random.fraction() * stallMs)
      stall = cancelSource()
      stalls += 1
    }
  }
  const gate = async (): Promise<void> => {
    chance()
    while (!over && clock.now() < stalledUntil) await clock.sleep(stalledUntil - clock.now(), stall.signal)
    if (over) await new Promise<never>(() => {})
  }

  return {
    isOver: () => over,
    stalls: () => stalls,
    kill,
    heal() {
      healed = true
      stalledUntil = 0
      stall.cancel()
    },
    async around(call) {
      await gate()
      const outcome = await call()
      await gate()
      return outcome
    },
  }
}

/** Every call of a port whose methods answer results, lived through by `life`. */
export function lived<Port extends object>(life: Life, port: Port): Port {
  const methods = Object.entries(port) as [string, (...args: unknown[]) => ResultAsync<unknown, unknown>][]
  return Object.fromEntries(
    methods.map(([name, method]) => [name, (...args: unknown[]) => new ResultAsync(life.around(() => method(...args)))]),
  ) as Port
}

/** A port that is out of reach once the process is dead: a call held up on its way never arrives. */
export function reachableInLife<Port extends object>(life: Life, port: Port): Port {
  const methods = Object.entries(port) as [string, (...args: unknown[]) => ResultAsync<unknown, unknown>][]
  const never = (): ResultAsync<never, never> => new ResultAsync(new Promise(() => {}))
  return Object.fromEntries(
    methods.map(([name, method]) => [name, (...args: unknown[]) => (life.isOver() ? never() : method(...args))]),
  ) as Port
}

/** The clock as that process sees it: its timers stop with it. */
export function livedClock(life: Life, clock: Clock): Clock {
  return {
    now: clock.now,
    sleep: (ms: number, cancel?: CancelSignal) => life.around(() => clock.sleep(ms, cancel)),
  }
}
