import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Core, storeUnavailable } from '@cbp/core'
import { err, errAsync } from 'neverthrow'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryHost, type RunOptions, run } from '../../tests/harness.ts'
import type { Host } from '../host.ts'
import { unavailable } from '../output/failure.ts'

const key = ['payments', 'retry.max-attempts']

function cbp(host: Host, line: string, options: RunOptions = {}): ReturnType<typeof run> {
  return run(host, line.split(' '), options)
}

/** A setting that has had the values 1, 2 … `count`. */
async function hostWithVersions(count: number): Promise<ReturnType<typeof memoryHost>> {
  const host = memoryHost()
  for (let value = 1; value <= count; value += 1) {
    expect(await run(host, ['config', 'set', ...key, String(value), '--reason', `value ${value}`])).toMatchObject({ code: 0 })
  }
  return host
}

describe('config set', () => {
  it('creates an entry and tells what it holds', async () => {
    const host = memoryHost()
    const { code, stdout, stderr } = await run(host, ['config', 'set', ...key, '{"a": 1}', '--reason', 'first'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('payments/retry.max-attempts set at /: version 1, revision 1.')
    expect(stdout).toContain('+  "a": 1')
  })

  it('answers the version made with --json, and nothing else', async () => {
    const { code, json } = await run(memoryHost(), ['config', 'set', ...key, '5', '--reason', 'why', '--json'])
    expect(code).toBe(0)
    expect(json()).toMatchObject({
      value: 5,
      version: 1,
      revision: 1,
      actor: 'cli:tester',
      reason: 'why',
      etag: expect.stringMatching(/^"1-/),
    })
  })

  it('lets a race end as a conflict that shows what changed meanwhile', async () => {
    const host = memoryHost({}, (core) => overtaken(core))
    await cbp(host, 'config set payments limit 1 --create --reason first')
    const { code, stdout, stderr } = await cbp(host, 'config set payments limit 2 --reason second')
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain('it is at version 2 now, set by cli:other')
    expect(stderr).toContain('~ (value) 1 → 99')
    expect(stderr).toContain('--if-version 2')
  })

  it('tells a conflict as one JSON document on stderr', async () => {
    const host = await hostWithVersions(2)
    const { code, stdout, problem } = await cbp(host, 'config set payments retry.max-attempts 9 --if-version 1 --reason late --json')
    expect([code, stdout]).toEqual([3, ''])
    expect(problem()).toMatchObject({
      code: 'stale-version',
      current: { version: 2, value: 2 },
      differences: [{ op: 'replace', before: 1, after: 2 }],
    })
  })

  it('takes an ETag whose quotes the shell has eaten', async () => {
    const host = await hostWithVersions(1)
    const { etag } = (await cbp(host, 'config get payments retry.max-attempts --raw --json')).json() as { etag: string }
    const { code } = await cbp(host, `config set payments retry.max-attempts 2 --reason r --if-match ${etag.replaceAll('"', '')}`)
    expect(code).toBe(0)
  })

  it('refuses the ETag of a resolved value as a conflict', async () => {
    const host = await hostWithVersions(1)
    expect(await cbp(host, 'config set payments retry.max-attempts 2 --reason r --if-match r-1-abc')).toMatchObject({ code: 3 })
  })

  it('refuses to create what exists', async () => {
    expect(await cbp(await hostWithVersions(1), 'config set payments retry.max-attempts 2 --reason r --create')).toMatchObject({ code: 3 })
  })

  it.each([
    ['hello', '"--string"'],
    ['{"a":', 'not JSON'],
  ])('refuses %s, which is no JSON, and says how to set text', async (value) => {
    const { code, stderr } = await run(memoryHost(), ['config', 'set', ...key, value, '--reason', 'r'])
    expect(code).toBe(2)
    expect(stderr).toContain('Add --string')
  })

  it('refuses a number that would be rounded', async () => {
    const { code, stderr } = await run(memoryHost(), ['config', 'set', ...key, '{"id": 12345678901234567890}', '--reason', 'r'])
    expect(code).toBe(2)
    expect(stderr).toContain('12345678901234567890 cannot be kept exactly')
  })

  it.each([
    '9007199254740993',
    '9007199254740993.0',
    '9007199254740993.5',
    '9007199254740993e0',
    '-90071992547409930e-1',
    '900719925474.0993E4',
    '1e-400',
    '-1e-400',
    '1e400',
    '0.1e99999999999999999999',
  ])('refuses %s, which a double does not equal', async (number) => {
    const { code, stderr } = await run(memoryHost(), ['config', 'set', ...key, '--reason', 'r', '--', `[${number}]`])
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${number} cannot be kept exactly`)])
  })

  it.each(['0.1', '-0.10', '1e22', '1e23', '5.00', '9007199254740992', '9007199254740991.0', '0e999', '0.000', '-0', '1e-7', '123.456e2'])(
    'accepts %s',
    async (number) => {
      expect(await run(memoryHost(), ['config', 'set', ...key, '--reason', 'r', '--', number])).toMatchObject({ code: 0 })
    },
  )

  it('sets text with --string, from the argument as it is', async () => {
    const { json } = await cbp(memoryHost(), 'config set payments greeting 5 --string --reason r --json')
    expect(json()).toMatchObject({ value: '5' })
  })

  it('sets a negative number', async () => {
    expect((await cbp(memoryHost(), 'config set payments offset -5 --reason r --json')).json()).toMatchObject({ value: -5 })
  })

  it.each([
    ['JSON', [], '{"a": [1, 2]}\n', { a: [1, 2] }],
    ['text', ['--string'], 'hello\n', 'hello'],
  ])('reads %s from standard input', async (_what, flags, stdin, value) => {
    const { json } = await run(memoryHost(), ['config', 'set', ...key, '-', '--reason', 'r', '--json', ...flags], { stdin })
    expect(json()).toMatchObject({ value })
  })

  it('ends with exit code 1 when the service cannot accept the value', async () => {
    const { code, stderr } = await cbp(memoryHost(), 'config set delivery relay.lease-ms 1 --reason r')
    expect(code).toBe(1)
    expect(stderr).toContain('Nothing was written')
  })

  it.each([
    [['config', 'set', 'Payments', 'a', '1', '--reason', 'r'], 'lower-case letter'],
    [['config', 'set', 'payments', 'a', '1', '--reason', 'r', '--scope', 'production'], 'A scope is "/"'],
    [['config', 'set', 'payments', 'a', '1', '--reason', ' '], '--reason is empty'],
    [['config', 'set', 'payments', 'a', '--reason', 'r'], 'There is no value'],
    [['config', 'set', 'payments', 'a', '1', '--file', 'x', '--reason', 'r'], 'give one of them'],
    [['config', 'set', 'payments', 'a', '--file', '/no/such/file', '--reason', 'r'], 'cannot be read'],
  ])('refuses wrong input before it opens the store: %j', async (argv, told) => {
    const closed: Host = { ...memoryHost(), openCore: () => Promise.reject(new Error('opened')) }
    const { code, stderr } = await run(closed, argv)
    expect(code).toBe(2)
    expect(stderr).toContain(told)
  })

  describe('with --file', () => {
    let folder = ''
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'cbp-cli-'))
    })
    afterEach(() => rm(folder, { recursive: true }))

    it('reads the value from a file, relative to the working directory', async () => {
      await writeFile(join(folder, 'limits.json'), '\uFEFF{"daily": 500}\n')
      const { json } = await cbp(memoryHost(), 'config set payments limits --file limits.json --reason r --json', { cwd: folder })
      expect(json()).toMatchObject({ value: { daily: 500 } })
    })
  })
})

describe('config get', () => {
  it('prints the value alone as pretty JSON', async () => {
    const host = memoryHost()
    await run(host, ['config', 'set', ...key, '{"a":[1]}', '--reason', 'r'])
    const { code, stdout } = await cbp(host, 'config get payments retry.max-attempts --scope /production')
    expect([code, stdout]).toEqual([0, '{\n  "a": [\n    1\n  ]\n}\n'])
  })

  it('answers everything about the value with --json', async () => {
    const { json } = await cbp(memoryHost(), 'config get delivery relay.lease-ms --json')
    expect(json()).toEqual({
      component: 'delivery',
      key: 'relay.lease-ms',
      scope: '/',
      value: 10_000,
      version: 0,
      revision: 0,
      provenance: [{ pointer: '', scope: null, version: 0, revision: 0 }],
      entryEtag: null,
    })
  })

  it('shows where each part comes from', async () => {
    const host = memoryHost()
    await run(host, ['config', 'set', 'security', 'rate-limit.per-ip', '{"limit": 50}', '--scope', '/production', '--reason', 'r'])
    const { stdout } = await cbp(host, 'config get security rate-limit.per-ip --scope /production --provenance')
    expect(stdout).toMatchInlineSnapshot(`
      "PART            VALUE  SCOPE        VERSION  REVISION
      /limit          50     /production        1         1
      /windowSeconds  900    (shipped)          0         0
      "
    `)
  })

  it('answers the past', async () => {
    const host = await hostWithVersions(3)
    expect(await cbp(host, 'config get payments retry.max-attempts --as-of 2')).toMatchObject({ code: 0, stdout: '2\n' })
  })

  it.each([
    ['config get payments nothing', 4],
    ['config get payments nothing --raw', 4],
    ['config get payments nothing --as-of 99', 4],
    ['config get payments nothing --as-of yesterday', 2],
    ['config history payments nothing', 4],
    ['config diff payments nothing --from 1 --to 2', 4],
    ['config unset payments nothing --yes --reason r', 4],
    ['config rollback payments nothing --to 1 --yes --reason r', 4],
  ])('tells what is not there: %s', async (line, expected) => {
    const { code, stdout, stderr } = await cbp(memoryHost(), line)
    expect([code, stdout]).toEqual([expected, ''])
    expect(stderr).toMatch(/^error: /)
  })

  it('shows no control characters of a value', async () => {
    const host = memoryHost()
    await run(host, ['config', 'set', ...key, '"\\u001b[31m\\u009b"', '--reason', '\u001b[2J now'])
    const { stdout } = await run(host, ['config', 'get', ...key])
    const history = await run(host, ['config', 'history', ...key])
    expect(stdout + history.stdout).not.toMatch(/[^\P{Cc}\n]/u)
  })
})

describe('config list', () => {
  it('lists components with the head', async () => {
    const { json } = await cbp(await hostWithVersions(2), 'config list --json')
    expect(json()).toMatchObject({
      items: expect.arrayContaining([{ component: 'payments', entries: 1, revision: 2 }]),
      revision: 2,
      cursor: 'fake.2',
    })
  })

  it('rules a table on a terminal and aligns text elsewhere', async () => {
    const host = await hostWithVersions(1)
    const [onTerminal, elsewhere] = [await cbp(host, 'config list payments', { tty: true }), await cbp(host, 'config list payments')]
    expect(onTerminal.stdout).toContain('┌')
    expect(elsewhere.stdout).toMatchInlineSnapshot(`
      "KEY                 VALUE  FROM  VERSION  REVISION
      retry.max-attempts  1      /           1         1
      "
    `)
  })

  it('needs a component for a scope', async () => {
    expect(await cbp(memoryHost(), 'config list --scope /production')).toMatchObject({ code: 2 })
  })
})

describe('config history and diff', () => {
  it('lists versions newest first, and says how to see older ones', async () => {
    const { stdout, stderr } = await cbp(await hostWithVersions(3), 'config history payments retry.max-attempts --limit 2')
    expect(stdout.split('\n').map((line) => line.trim().split(/\s+/)[0])).toEqual(['VERSION', '3', '2', ''])
    expect(stderr).toContain('--before 2')
  })

  it('keeps stderr empty with --json', async () => {
    const { json, stderr } = await cbp(await hostWithVersions(3), 'config history payments retry.max-attempts --limit 2 --json')
    expect(stderr).toBe('')
    expect(json()).toMatchObject({ items: [{ version: 3 }, { version: 2 }], nextBefore: 2 })
  })

  it('shows a unified diff of the last change by default', async () => {
    const { stdout } = await cbp(await hostWithVersions(3), 'config diff payments retry.max-attempts')
    expect(stdout).toMatchInlineSnapshot(`
      "--- payments/retry.max-attempts at / version 2
      +++ payments/retry.max-attempts at / version 3
      @@ -1,1 +1,1 @@
      -2
      +3
      "
    `)
  })

  it.each([
    [{ tty: true }, [], true],
    [{ tty: true }, ['--no-color'], false],
    [{ tty: true, env: { NO_COLOR: '1' } }, [], false],
    [{ tty: true, env: { TERM: 'dumb' } }, [], false],
    [{}, [], false],
    [{ env: { FORCE_COLOR: '1' } }, [], true],
  ])('colours a diff only where colours are wanted: %j %j', async (options, flags, coloured) => {
    const { stdout } = await run(await hostWithVersions(2), ['config', 'diff', ...key, ...flags], options)
    expect(stdout.includes('\u001b[32m')).toBe(coloured)
  })

  it('has nothing to compare the first version with', async () => {
    expect(await cbp(await hostWithVersions(1), 'config diff payments retry.max-attempts')).toMatchObject({ code: 1 })
  })
})

describe('config unset and rollback', () => {
  it.each(['config unset payments retry.max-attempts --reason r', 'config rollback payments retry.max-attempts --to 1 --reason r'])(
    'needs --yes where nobody can be asked: %s',
    async (line) => {
      const host = await hostWithVersions(2)
      const { code, stderr } = await cbp(host, line)
      expect(code).toBe(2)
      expect(stderr).toContain('Add --yes')
      expect((await cbp(host, 'config get payments retry.max-attempts')).stdout).toBe('2\n')
    },
  )

  it.each([
    ['y\n', 0, '1\n'],
    ['n\n', 1, '2\n'],
    ['', 1, '2\n'],
  ])('asks on a terminal and takes %j for an answer', async (stdin, expected, value) => {
    const host = await hostWithVersions(2)
    const { code, stderr } = await cbp(host, 'config rollback payments retry.max-attempts --to 1 --reason r', { stdin, tty: true })
    expect(code).toBe(expected)
    expect(stderr).toContain('[y/N]')
    expect((await cbp(host, 'config get payments retry.max-attempts')).stdout).toBe(value)
  })

  it('removes a value, so that it is inherited again', async () => {
    const host = await hostWithVersions(1)
    expect(await cbp(host, 'config unset payments retry.max-attempts --yes --reason r')).toMatchObject({ code: 0 })
    expect(await cbp(host, 'config get payments retry.max-attempts')).toMatchObject({ code: 4 })
  })

  it('names the version that was restored', async () => {
    const { json } = await cbp(await hostWithVersions(2), 'config rollback payments retry.max-attempts --to 1 --yes --reason r --json')
    expect(json()).toMatchObject({ version: 3, value: 1, restoredFrom: 1 })
  })

  it('cannot return to a version that there never was', async () => {
    expect(await cbp(await hostWithVersions(2), 'config rollback payments retry.max-attempts --to 7 --yes --reason r')).toMatchObject({
      code: 4,
    })
  })
})

describe('an unavailable store', () => {
  it('ends with exit code 5 when it cannot be opened', async () => {
    const host: Host = { ...memoryHost(), openCore: async () => err(unavailable('store-unavailable', 'The disk is gone.', 'Put it back.')) }
    const { code, problem } = await cbp(host, 'config list --json')
    expect(code).toBe(5)
    expect(problem()).toEqual({ code: 'store-unavailable', detail: 'The disk is gone.', exitCode: 5, mend: 'Put it back.' })
  })

  it('ends with exit code 5 when it stops answering', async () => {
    const host = memoryHost({}, (core) => ({ ...core, config: { ...core.config, get: () => errAsync(storeUnavailable('locked')) } }))
    const { code, stderr } = await cbp(host, 'config get payments a')
    expect(code).toBe(5)
    expect(stderr).toContain('The store does not answer: locked.')
  })
})

it('ends as interrupted when a signal comes first', async () => {
  const host = memoryHost()
  expect(await cbp(host, 'config list', { cancel: AbortSignal.abort('SIGINT') })).toMatchObject({ code: 130, stdout: '' })
})

/** Somebody else writes between every read of an entry and the write that follows it. */
function overtaken(core: Core): Core {
  const caller = { client: 'cli:other', requestId: 'other', traceparent: null }
  return {
    ...core,
    config: {
      ...core.config,
      entry: (at, asOf) =>
        core.config.entry(at, asOf).andThen((entry) =>
          core.config
            .put({ ...at, value: 99, reason: 'first', caller, precondition: { kind: 'version', version: entry.version } })
            .map(() => entry)
            .mapErr(() => storeUnavailable('lost the race')),
        ),
    },
  }
}

describe('a point in the history', () => {
  it.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-04-31T00:00:00+02:00',
    '2026-13-01T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:60Z',
    '2026-01-31T12:00Z',
    '2026-01-31T12:00:00+24:00',
    '2026-01-31T12:00:00+02:60',
    '2026-01-31',
  ])('is not %s', async (instant) => {
    const { code, stderr } = await run(memoryHost(), ['config', 'get', ...key, '--as-of', instant])
    expect([code, stderr]).toEqual([2, expect.stringContaining(`not "${instant}"`)])
  })

  it.each(['2024-02-29T23:59:59Z', '2026-01-31T00:00:00.123456789+02:00', '2026-12-31t12:00:00z'])('may be %s', async (instant) => {
    const { code, stderr } = await run(memoryHost(), ['config', 'get', ...key, '--as-of', instant])
    expect([code, stderr]).toEqual([4, expect.any(String)])
  })
})

describe('a reason', () => {
  it.each([
    ['blanks', ' \t ', 'is empty'],
    ['control characters', '\u0001\u001b\u007f', 'is empty'],
    ['what cannot be seen', '\u200b\u2060\u00a0', 'is empty'],
    ['half a character', 'why \ud800', 'not well-formed Unicode'],
  ])('of %s is refused', async (_what, reason, sentence) => {
    const { code, stderr } = await run(memoryHost(), ['config', 'set', ...key, '1', '--reason', reason])
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)])
  })
})
