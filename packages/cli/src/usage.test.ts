import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { noHost, run } from '../tests/harness.ts'
import { styleFor } from './output/style.ts'
import { examplesOf } from './program/examples.ts'
import { buildProgram, type Dispatch, descendants } from './program.ts'

const quiet = { out: () => {}, err: () => {}, outColour: styleFor(process.stdout, { NO_COLOR: '1' }), width: null }
const tree = buildProgram(async () => {}, quiet)
const everyCommand = [tree, ...descendants(tree)]

describe('help', () => {
  it.each(everyCommand.map((command) => [pathOf(command), command] as const))('shows two examples or more for %s', (_path, command) => {
    expect(examplesOf(command).length).toBeGreaterThanOrEqual(2)
  })

  const examples = everyCommand.flatMap((command) => examplesOf(command).map(([line]) => [line, pathOf(command)] as const))

  it.each(examples)('gives an example that the program accepts: %s', async (line, path) => {
    const commands = commandsOf(line)
    expect(commands).not.toEqual([])
    for (const words of commands) expect(await accepted(words)).toContain(path)
  })

  it('is shown on stdout with exit code 0', async () => {
    const { code, stdout, stderr } = await run(noHost, ['config', 'set', '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('cbp config set payments')
  })

  it('is shown on stderr with exit code 2 when a group is called without a command', async () => {
    const { code, stdout, stderr } = await run(noHost, ['config'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Usage: cbp config')
  })
})

describe('wrong usage', () => {
  it.each([
    ['an unknown command', ['confg', 'list'], 'Did you mean config?'],
    ['an unknown option', ['config', 'get', 'a', 'b', '--scpe', '/x'], 'Did you mean --scope?'],
    ['a missing argument', ['config', 'get', 'a'], "missing required argument 'key'"],
    ['a missing reason', ['config', 'set', 'a', 'b', '1'], "required option '--reason <text>' not specified"],
    ['too many arguments', ['config', 'list', 'a', 'b'], 'too many arguments'],
    ['an option of the wrong form', ['config', 'history', 'a', 'b', '--limit', 'all'], 'whole number from 1 on'],
    ['a choice that there is not', ['completion', 'powershell'], 'Allowed choices are bash, zsh, fish'],
    ['two preconditions', ['config', 'set', 'a', 'b', '1', '--reason', 'r', '--create', '--if-version', '2'], 'cannot be used with'],
    ['a time span without unit', ['token', 'mint', '--expires', '90'], 'e.g. 15m'],
  ])('ends with exit code 2 and says how to mend it: %s', async (_what, argv, told) => {
    const { code, stdout, stderr } = await run(noHost, argv)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(told)
    expect(stderr).toContain('--help')
  })

  it('is one JSON document on stderr with --json', async () => {
    const { code, stdout, problem } = await run(noHost, ['confg', '--json'])
    expect([code, stdout]).toEqual([2, ''])
    expect(problem()).toMatchObject({ code: 'wrong-usage', exitCode: 2, detail: expect.stringContaining('Did you mean config?') })
  })
})

it('tells its version', async () => {
  const { code, stdout } = await run(noHost, ['--version'])
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
})

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

/** The path of the command that would run, or what is wrong with the words. */
async function accepted(words: readonly string[]): Promise<string> {
  let path = 'nothing ran'
  const record: Dispatch = async (_load, command) => {
    path = pathOf(command)
  }
  try {
    await buildProgram(record, quiet).parseAsync([...words], { from: 'user' })
    return path
  } catch (error) {
    return `${words.join(' ')}: ${(error as Error).message}`
  }
}

/** The words after each `cbp` of a line of shell, as the shell would split them. */
function commandsOf(line: string): readonly (readonly string[])[] {
  const substitutions = [...line.matchAll(/[$<]\((cbp [^)]*)\)/g)]
  if (substitutions.length > 0) return substitutions.flatMap(([, inner = '']) => commandsOf(inner))
  const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|([^\s]+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? '')
  const end = words.findIndex((word, index) => index > words.indexOf('cbp') && (word === '|' || word === '>'))
  return [words.slice(words.indexOf('cbp') + 1, end < 0 ? undefined : end)]
}
