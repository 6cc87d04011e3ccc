import { allNodes, type CommandNode, type OptionNode } from './command-tree.ts'

/** A completion for fish that starts nothing. */
export function fishCompletion(tree: CommandNode): string {
  return `# Completes cbp in fish: save as ~/.config/fish/completions/cbp.fish
function __cbp_path
    set -l path ''
    for word in (commandline -opc)[2..-1]
        switch "$path $word"
${allNodes(tree)
  .filter(({ path }) => path.length > 0)
  .map(descend)
  .join('\n')}
        end
    end
    echo -- "$path"
end
function __cbp_at
    test (__cbp_path) = "$argv[1]"
end
complete -c cbp -f
${allNodes(tree).flatMap(linesOf).join('\n')}
`
}

function descend({ path }: CommandNode): string {
  return `            case '${nameOf(path.slice(0, -1))} ${path.at(-1)}'\n                set path '${nameOf(path)}'`
}

function linesOf({ path, children, options, choices }: CommandNode): readonly string[] {
  const at = `complete -c cbp -n "__cbp_at '${nameOf(path)}'"`
  return [
    ...children.map((child) => `${at} -a ${quoted(String(child.path.at(-1)))} -d ${quoted(child.summary)}`),
    ...(choices.length === 0 ? [] : [`${at} -a ${quoted(choices.join(' '))}`]),
    ...options.map((option) => `${at} ${flagsOf(option)}`),
  ]
}

function flagsOf({ short, long, summary, takesValue, choices, isFile }: OptionNode): string {
  const names = [`-l ${long.slice(2)}`, ...(short === null ? [] : [`-s ${short.slice(1)}`])]
  const value = takesValue ? (isFile ? ' -r -F' : choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : ' -x') : ''
  return `${names.join(' ')}${value} -d ${quoted(summary)}`
}

function nameOf(path: readonly string[]): string {
  return path.map((word) => `/${word}`).join('')
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
