import { allNodes, type CommandNode, type OptionNode } from './command-tree.ts'

/** A completion for zsh that starts nothing. */
export function zshCompletion(tree: CommandNode): string {
  const functions = [...allNodes(tree)].reverse().map(functionOf)
  return `#compdef cbp
# Completes cbp in zsh: put this file as _cbp into a directory of $fpath.
${functions.join('\n')}
if [ "$funcstack[1]" = "_cbp" ]; then _cbp "$@"; else compdef _cbp cbp; fi
`
}

function functionOf(node: CommandNode): string {
  const name = functionName(node.path)
  const options = node.options.map((option) => `    ${argumentOf(option)}`)
  if (node.children.length === 0) {
    const rest = node.choices.length === 0 ? [] : [`    '1: :(${node.choices.join(' ')})'`]
    return `${name}() {\n  _arguments \\\n${[...options, ...rest].join(' \\\n')}\n}`
  }
  const described = node.children.map((child) => `    ${quoted(`${child.path.at(-1)}:${escaped(child.summary)}`)}`)
  const cases = node.children.map((child) => `    ${child.path.at(-1)}) ${functionName(child.path)} ;;`)
  return `${name}() {
  local curcontext="$curcontext" state line
  local -a commands
  commands=(
${described.join('\n')}
  )
  _arguments -C \\
${options.join(' \\\n')} \\
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe 'command' commands ;;
    rest) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}`
}

function argumentOf({ short, long, summary, takesValue, choices, isFile }: OptionNode): string {
  const value = takesValue ? `:value:${isFile ? '_files' : choices.length > 0 ? `(${choices.join(' ')})` : ''}` : ''
  const description = quoted(`[${escaped(summary)}]${value}`)
  return short === null ? `${long}${description}` : `{${short},${long}}${description}`
}

function functionName(path: readonly string[]): string {
  return ['_cbp', ...path.map((word) => word.replaceAll('-', '_'))].join('_')
}

/** Colons and brackets have a meaning in specifications. */
function escaped(text: string): string {
  return text.replaceAll(/[:[\]\\]/g, '\\$&')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
