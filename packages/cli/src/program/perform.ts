import type { Command } from 'commander'
import type { Action, Argument } from '../session.ts'

export type LoadAction<Arguments extends readonly Argument[], Options> = () => Promise<Action<Arguments, Options>>

/** Makes the handler of a command out of how its action is loaded. */
export type Perform = <Arguments extends readonly Argument[], Options>(
  load: LoadAction<Arguments, Options>,
) => (this: Command) => Promise<void>
