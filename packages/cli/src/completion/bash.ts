import { allNodes, type CommandNode, type OptionNode } from './command-tree.ts'

/** A completion for bash, from 3.2 on, that starts nothing. */
export function bashCompletion(tree: CommandNode): string {
  const nodes = allNodes(tree)
  return `# Completes cbp in bash: source <(cbp completion bash)
_cbp() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' word index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "$path $word" in
${nodes
  .filter(({ path }) => path.length > 0)
  .map(descend)
  .join('\n')}
    esac
  done
  case "$path $previous" in
${nodes.flatMap(valueCases).join('\n')}
  esac
  case "$path" in
${nodes.map(wordCase).join('\n')}
  esac
}
complete -F _cbp cbp
`
}

function descend({ path }: CommandNode): string {
  return `      '${nameOf(path.slice(0, -1))} ${path.at(-1)}') path='${nameOf(path)}' ;;`
}

/** What follows an option that takes a value is that value. */
function valueCases({ path, options }: CommandNode): readonly string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map((option) => {
      const names = [option.long, ...(option.short === null ? [] : [option.short])].map((name) => `'${nameOf(path)} ${name}'`)
      return `    ${names.join(' | ')}) ${replyOf(option)}return ;;`
    })
}

function replyOf({ choices, isFile }: OptionNode): string {
  if (isFile) return 'COMPREPLY=($(compgen -f -- "$current")); '
  return choices.length === 0 ? '' : `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); `
}

function wordCase({ path, children, options, choices }: CommandNode): string {
  const words = [...children.map((child) => child.path.at(-1)), ...choices]
  const flags = options.map(({ long }) => long)
  return `    '${nameOf(path)}')
      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W '${flags.join(' ')}' -- "$current"))
      else COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current")); fi ;;`
}

function nameOf(path: readonly string[]): string {
  return path.map((word) => `/${word}`).join('')
}
