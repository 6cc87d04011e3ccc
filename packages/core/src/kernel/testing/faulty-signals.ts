import type { Signals } from '../signals.ts'
import type { Faults } from './faults.ts'

export type SignalsFault = 'lost' | 'late' | 'repeated'

/** Wake-ups that are lost, late or repeated, for each listener by itself. */
export function faultySignals(inner: Signals, faults: Faults<SignalsFault>): Signals {
  return {
    raise: (topic) => inner.raise(topic),
    listen(topic, listener) {
      let listening = true
      const wake = (): void => {
        if (listening) listener()
      }
      const stop = inner.listen(topic, () => {
        const fault = faults.draw(['lost', 'late', 'repeated'])
        if (fault === 'lost') return
        if (fault !== 'late') wake()
        if (fault !== null) void faults.delay().then(wake)
      })
      return () => {
        listening = false
        stop()
      }
    },
  }
}
