import type { DeadLetterState } from '@cbp/core'

const everyState: Readonly<Record<DeadLetterState, true>> = { dead: true, replayed: true, discarded: true }

export const deadLetterStates: readonly DeadLetterState[] = Object.keys(everyState) as DeadLetterState[]
