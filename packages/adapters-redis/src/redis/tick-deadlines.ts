import type { Clock } from '@cbp/core'

export type TickDeadlines = Readonly<{
  /** Calls `expire` once the deadline is over, whether or not it still matters. */
  add(expire: () => void): void
  end(): void
}>

/**
 * Deadlines measured in ticks of one timer instead of a timer for each call. A process that is held up for long lets one
 * tick pass, not the deadline of everything under way, so that its own pauses never look like those of the other side.
 *
 * @returns deadlines of at least `ticks` and at most one more; the timer runs only while there are some
 */
export function tickDeadlines(clock: Pick<Clock, 'sleep'>, tickMs: number, ticks: number): TickDeadlines {
  const slots: (() => void)[][] = Array.from({ length: ticks + 2 }, () => [])
  let position = 0
  let pending = 0
  let running = false
  let ended = false

  const run = async (): Promise<void> => {
    running = true
    while (pending > 0 && !ended) {
      await clock.sleep(tickMs)
      position = (position + 1) % slots.length
      const due = slots[(position + 1) % slots.length] ?? []
      slots[(position + 1) % slots.length] = []
      pending -= due.length
      for (const expire of due) expire()
    }
    running = false
  }

  return {
    add(expire) {
      slots[position]?.push(expire)
      pending += 1
      if (!running) void run()
    },
    end() {
      ended = true
      for (const slot of slots) for (const expire of slot.splice(0)) expire()
      pending = 0
    },
  }
}
