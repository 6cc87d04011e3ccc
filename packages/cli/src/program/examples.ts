import type { Command } from 'commander'

/** A command line as one would type it, and what it is good for. */
export type Example = readonly [line: string, purpose: string]

const examples = new WeakMap<Command, readonly Example[]>()

/** Gives a command the examples that end its help. A test holds each of them against the program. */
export function withExamples(command: Command, ...own: readonly Example[]): Command {
  examples.set(command, own)
  return command
}

export function examplesOf(command: Command): readonly Example[] {
  return examples.get(command) ?? []
}
