import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { stagingSettings } from '../tests/harness.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const timeout = 60_000

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cbp-cli-'))
})
afterAll(() => rm(folder, { recursive: true, maxRetries: 3 }))

type Running = Readonly<{ child: ChildProcess; stdout: () => string; stderr: () => string; ended: Promise<number | null> }>

function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}, stdout: 'pipe' | number = 'pipe'): Running {
  const child = spawn(process.execPath, ['--conditions=@cbp/source', main, ...argv], {
    cwd: folder,
    env: { PATH: process.env['PATH'], CBP_DATA_DIR: join(folder, 'data'), ...env },
    stdio: ['pipe', stdout, 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => (text.stdout += String(chunk)))
  child.stderr?.on('data', (chunk: Buffer) => (text.stderr += String(chunk)))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, stdout: () => text.stdout, stderr: () => text.stderr, ended }
}

async function cbp(
  argv: readonly string[],
  { input = '', env = {} }: Readonly<{ input?: string; env?: Readonly<Record<string, string>> }> = {},
): Promise<Readonly<{ code: number | null; stdout: string; stderr: string }>> {
  const running = start(argv, env)
  running.child.stdin?.on('error', () => {}).end(input)
  return { code: await running.ended, stdout: running.stdout(), stderr: running.stderr() }
}

function set(key: string, value: string, ...more: readonly string[]): ReturnType<typeof cbp> {
  return cbp(['config', 'set', 'payments', key, value, '--reason', 'test', ...more])
}

/** Waits for a text on stdout. */
function printed(running: Running, text: string): Promise<void> {
  return vi.waitFor(() => expect(running.stdout()).toContain(text), { timeout: 20_000, interval: 20 })
}

describe('the program', { timeout }, () => {
  it('answers with one JSON document on stdout and keeps stderr clean', async () => {
    const made = await cbp(['config', 'set', 'payments', 'piped', '-', '--reason', 'test', '--json'], { input: '{"daily": 500}\n' })
    expect([made.code, made.stderr]).toEqual([0, ''])
    expect(JSON.parse(made.stdout)).toMatchObject({ value: { daily: 500 }, actor: expect.stringMatching(/^cli:/) })
    expect(await cbp(['config', 'get', 'payments', 'piped'])).toEqual({ code: 0, stdout: '{\n  "daily": 500\n}\n', stderr: '' })
  })

  it.each([
    ['wrong usage', ['config', 'get', 'payments'], {}, 2],
    ['what is not there', ['config', 'get', 'payments', 'nothing'], {}, 4],
    ['a store that cannot be opened', ['config', 'list'], { CBP_SQL_URL: 'sqlite:/dev/null/x' }, 5],
    ['settings that are not acceptable', ['config', 'list'], { CBP_PORT: 'x', CBP_ENV: 'testing' }, 2],
    ['a token in staging', ['token', 'mint'], stagingSettings, 1],
  ])('tells failures on stderr alone, as JSON: %s', async (_what, argv, env, expected) => {
    const { code, stdout, stderr } = await cbp([...argv, '--json'], { env })
    expect([code, stdout]).toEqual([expected, ''])
    expect(JSON.parse(stderr)).toMatchObject({ exitCode: expected, detail: expect.any(String), code: expect.any(String) })
  })

  it.each([
    ['webhook-secret', 'holds no webhook secret; delete it, and another is made'],
    ['keyring.json', 'is not a key ring'],
    ['payment-sandbox.sqlite', 'delete it while nothing runs'],
  ])('tells how to mend a damaged file of the data directory: %s', async (name, cure) => {
    const dataDir = await mkdtemp(join(folder, 'damaged-'))
    await writeFile(join(dataDir, name), 'damaged, and longer than the header of any file that would be taken for empty'.repeat(20))
    const { code, stdout, stderr } = await cbp(['payment', 'list', '--json'], { env: { CBP_DATA_DIR: dataDir } })
    expect([code, stdout]).toEqual([5, ''])
    expect(JSON.parse(stderr)).toMatchObject({ code: 'resource-unavailable', detail: expect.stringContaining(cure) })
  })

  it('lets exactly one of several racing processes win, and ends the others with exit code 3', async () => {
    const codes = await Promise.all(['1', '2', '3'].map(async (value) => (await set('raced', value, '--create')).code))
    expect(codes.toSorted((left, right) => Number(left) - Number(right))).toEqual([0, 3, 3])
  })

  it.each([
    ['a command', ['completion', 'bash']],
    ['a watch', ['config', 'watch', '--since', '0']],
  ])('ends quietly when nobody reads on: %s', async (_what, argv) => {
    await set('read', '1')
    const running = start(argv)
    running.child.stdout?.destroy()
    expect([await running.ended, running.stderr()]).toEqual([0, ''])
  })

  it.skipIf(!existsSync('/dev/full')).each([
    ['a command', ['completion', 'bash']],
    ['a watch', ['config', 'watch', '--since', '0']],
    ['the help', ['config', '--help']],
  ])('tells in one line that nothing can be written: %s', async (_what, argv) => {
    await set('full', '1')
    const full = await open('/dev/full', 'w')
    const { ended, stderr } = start(argv, {}, full.fd)
    expect(await ended).toBe(1)
    expect(stderr()).toMatch(/^error: Standard output cannot be written: ENOSPC.*\n$/)
    await full.close()
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends a watch with exit code 0 on %s', async (signal) => {
    await set('watched', '1')
    const running = start(['config', 'watch', '--since', '0', '--json'])
    await printed(running, '"watched"')
    running.child.kill(signal)
    expect([await running.ended, running.stderr()]).toEqual([0, ''])
  })
})

describe('a service and its watchers', { timeout }, () => {
  it('lets a watch live through a restart without missing or repeating a revision', async () => {
    const { stdout: minted } = await cbp(['token', 'mint', '--scope', 'config:read'])
    const token = { CBP_TOKEN: minted.trim() }
    const first = start(['serve', '--json'], { CBP_PORT: '0' })
    await printed(first, '\n')
    const { listening: url } = JSON.parse(first.stdout()) as { listening: string }
    const watching = start(['config', 'watch', '--component', 'restarts', '--url', url, '--json', '--since', '0'], token)
    const change = (value: string): ReturnType<typeof cbp> => cbp(['config', 'set', 'restarts', 'count', value, '--reason', 'test'])
    await change('1')
    await printed(watching, '"version":1')
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    await change('2')
    const second = start(['serve'], { CBP_PORT: new URL(url).port })
    await printed(watching, '"version":2')
    await change('3')
    await printed(watching, '"version":3')
    expect((await cbp(['health', '--url', url])).code).toBe(0)
    watching.child.kill('SIGINT')
    second.child.kill('SIGINT')
    expect([await watching.ended, await second.ended]).toEqual([0, 0])
    const versions = [...watching.stdout().matchAll(/"version":(\d+)/g)].map(([, version]) => version)
    expect(versions).toEqual(['1', '2', '3'])
  })
})

describe('a service and its operator', { timeout }, () => {
  it('pays, hears of it by webhook and shows how it went', async () => {
    const env = { CBP_DATA_DIR: join(folder, 'payments') }
    const service = start(['serve', '--json'], { ...env, CBP_PORT: '0' })
    await printed(service, '\n')
    const { listening: url } = JSON.parse(service.stdout()) as { listening: string }
    const shown = async (line: string): Promise<Readonly<{ code: number | null; id: string }>> => {
      const { code, stdout } = await cbp([...line.split(' '), '--json'], { env })
      return { code, ...(JSON.parse(stdout) as { id: string }) }
    }
    const { id } = await shown('payment create --amount 1250 --currency EUR --payee-id p --payee-name Power --user u')
    expect(await shown(`payment process ${id} --wait --timeout 20s`)).toMatchObject({ code: 0, status: 'COMPLETED' })
    expect(await shown(`payment verify ${id}`)).toMatchObject({ code: 0, verified: true })
    expect(await shown(`payment show ${id}`)).toMatchObject({ history: [{}, {}, { to: 'COMPLETED', cause: 'webhook' }] })
    const failing = await shown('payment create --amount 5 --currency EUR --payee-id p --payee-name P --user u --metadata sandbox=fails')
    expect(await shown(`payment process ${failing.id} --wait --timeout 20s`)).toMatchObject({ code: 1, status: 'FAILED' })
    expect(await shown(`demo --url ${url}`)).toMatchObject({ code: 0, passed: true })
    expect(await shown('events streams --blocked')).toMatchObject({ code: 0, items: [] })
    expect(await shown('webhook deliveries --status delivered')).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ type: 'PAYMENT_COMPLETED' })]),
    })
    service.child.kill('SIGINT')
    expect(await service.ended).toBe(0)
  })
})
