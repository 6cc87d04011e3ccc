import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { noHost, run } from '../../tests/harness.ts'

const execute = promisify(execFile)

describe('the completion for bash', () => {
  let script = ''
  beforeAll(async () => {
    script = (await run(noHost, ['completion', 'bash'])).stdout
  })

  /** What bash would offer for the last word. */
  async function offered(...words: readonly string[]): Promise<readonly string[]> {
    const program = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cbp; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await execute('bash', ['-c', program, 'bash', ...words])
    return stdout.split('\n').filter((line) => line !== '')
  }

  it('is acceptable to bash', async () => {
    await execute('bash', ['-n', '-c', script])
  })

  it.each([
    [['cbp', 'con'], ['config']],
    [['cbp', 'config', 'r'], ['rollback']],
    [['cbp', '--json', 'config', 'w'], ['watch']],
    [
      ['cbp', 'config', 'set', '--if-'],
      ['--if-version', '--if-match'],
    ],
    [['cbp', 'config', 'set', '--js'], ['--json']],
    [
      ['cbp', 'simulate', '--engine', ''],
      ['fakes', 'sqlite'],
    ],
    [['cbp', 'completion', 'z'], ['zsh']],
    [
      ['cbp', 'payment', 'c'],
      ['create', 'cancel'],
    ],
    [
      ['cbp', 'payment', 'list', '--status', 'C'],
      ['COMPLETED', 'CANCELLED'],
    ],
    [
      ['cbp', 'webhook', 'd'],
      ['disable', 'deliveries'],
    ],
    [['cbp', 'webhook', 'add', '--types', 'CONFIG'], ['CONFIG_UPDATED']],
    [
      ['cbp', 'events', 'dead', '--state', ''],
      ['dead', 'replayed', 'discarded'],
    ],
    [['cbp', 'dem'], ['demo']],
    [['cbp', 'config', 'get', '--scope', 'con'], []],
  ])('offers for %j just %j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected)
  })
})

it.each([
  ['zsh', '#compdef cbp'],
  ['fish', "-a 'rollback'"],
])('knows every command and its options in %s', async (shell, mark) => {
  const { code, stdout } = await run(noHost, ['completion', shell])
  expect(code).toBe(0)
  for (const word of [
    mark,
    'config',
    'rollback',
    'if-version',
    'fakes sqlite',
    'payment',
    'idempotency-key',
    'deliveries',
    'unblock',
    'demo',
  ])
    expect(stdout).toContain(word)
})
