import { sweeper } from './sweeper.ts'

/**
 * Refusals on their way out. Whoever is refused at once is back at once, and refusing costs nearly as much as answering:
 * a crowd that asks again and again would take all the time there is.
 */
export interface HeldRefusals {
  /** Resolves when the refusal should be sent; `null`: send it now. */
  hold(): Promise<void> | null
  count(): number
}

type Held = Readonly<{ untilMs: number; release: () => void }>

const holdMs = 250
/** So that those who were refused together do not come back together. */
const spreadMs = 250
/** The larger the crowd, the longer it waits: at most some four thousand refusals a second, whatever is asked for. */
const perHeldMs = 0.25
/** Beyond these, refusals are sent at once: what is held takes memory. */
const heldLimit = 10_000
const sweepEveryMs = 20

export function heldRefusals(now: () => number, fraction: () => number): HeldRefusals {
  const held = new Set<Held>()
  const startSweeping = sweeper(sweepEveryMs, () => {
    const at = now()
    for (const each of held) {
      if (each.untilMs > at) continue
      held.delete(each)
      each.release()
    }
    return held.size > 0
  })
  return {
    hold: () => {
      if (held.size >= heldLimit) return null
      startSweeping()
      const untilMs = now() + holdMs + held.size * perHeldMs + fraction() * spreadMs
      return new Promise((release) => held.add({ untilMs, release }))
    },
    count: () => held.size,
  }
}
