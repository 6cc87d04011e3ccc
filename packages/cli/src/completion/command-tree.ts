import type { Command, Option } from 'commander'

/** What can be typed where, without the program around it. */
export type CommandNode = Readonly<{
  /** The words after `cbp`; none for the program itself. */
  path: readonly string[]
  summary: string
  children: readonly CommandNode[]
  options: readonly OptionNode[]
  /** The words that the first argument may be, where it is one of a few. */
  choices: readonly string[]
}>

export type OptionNode = Readonly<{
  short: string | null
  long: string
  summary: string
  takesValue: boolean
  choices: readonly string[]
  /** Its value is the name of a file. */
  isFile: boolean
}>

/** The tree below `command`. Options of the program can be typed behind every command. */
export function commandTree(command: Command, path: readonly string[] = [], inherited: readonly OptionNode[] = []): CommandNode {
  const own = command.options.flatMap(optionNode)
  const everywhere = path.length === 0 ? own.filter(({ long }) => long !== '--version') : inherited
  const help: OptionNode = { short: '-h', long: '--help', summary: 'show help', takesValue: false, choices: [], isFile: false }
  return {
    path,
    summary: command.summary() || command.description(),
    children: command.commands.map((child) => commandTree(child, [...path, child.name()], everywhere)),
    options: path.length === 0 ? [...own, help] : [...own, ...inherited, help],
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }
}

function optionNode(option: Option): readonly OptionNode[] {
  const { short, long, description, required, optional, argChoices } = option
  if (long === undefined) return []
  const takesValue = required || optional
  return [{ short: short ?? null, long, summary: description, takesValue, choices: argChoices ?? [], isFile: long === '--file' }]
}

export function allNodes(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.children.flatMap(allNodes)]
}
