import type { Command } from 'commander'
import { ok } from 'neverthrow'
import type { Action } from '../session.ts'
import { bashCompletion } from './bash.ts'
import { type CommandNode, commandTree } from './command-tree.ts'
import { fishCompletion } from './fish.ts'
import { zshCompletion } from './zsh.ts'

const generators: Readonly<Record<string, (tree: CommandNode) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

export const printCompletion: Action<[shell: string], unknown> = async ({ command }, _options, shell) => {
  const script = generators[shell]?.(commandTree(rootOf(command))) ?? ''
  return ok({ json: { shell, script }, text: () => script })
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent)
}
