import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Defect, type DemoService, demoService } from '../../tests/demo-service.ts'
import { type Ended, memoryHost, type RunOptions, run, stagingSettings } from '../../tests/harness.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function service(defect: Defect | null = null): Promise<DemoService> {
  const started = await demoService(defect)
  closing.push(started.stop)
  return started
}

function demo({ url }: Pick<DemoService, 'url'>, more: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
  return run(memoryHost(), ['demo', '--url', url, '--timeout', '1s', '--token', 'a.b.c', ...more], options)
}

type Document = Readonly<{
  passed: boolean
  steps: readonly Readonly<{ name: string; status: string; ms: number; detail: string; check?: string }>[]
}>

describe('the demonstration against a running service', () => {
  it('tells each step as it ends', async () => {
    const { code, stdout, stderr } = await demo(await service())
    expect([code, stderr]).toEqual([0, ''])
    const told = stdout.split('\n').filter((line) => /^ ?\d+ ✔/.test(line))
    expect(told.map((line) => line.replace(/^ ?\d+ ✔ (.*) \d+ ms$/, '$1'))).toEqual([
      'Subscribe to webhooks',
      'Create a payment',
      'Repeat the request',
      'Hear PAYMENT_CREATED',
      'Check that it is PENDING',
      'Process it',
      'Wait until it is COMPLETED',
      'Hear PAYMENT_COMPLETED',
      'Verify it',
      'Read its history',
      'Remove the subscription',
    ])
    expect(stdout).toContain('EUR 12.50')
    expect(stdout).toContain('its signature is good')
  })

  it('answers one document with --json', async () => {
    const at = await service()
    const { code, json, stderr } = await demo(at, ['--json'])
    expect([code, stderr]).toEqual([0, ''])
    expect(json()).toMatchObject({ url: `${at.url}/`, passed: true, paymentId: expect.any(String), ms: expect.any(Number) })
    expect((json() as Document).steps.every(({ status, ms }) => status === 'passed' && ms >= 0)).toBe(true)
  })

  it('leaves no subscription behind', async () => {
    const at = await service()
    await demo(at)
    expect(at.subscriptions()).toEqual([])
  })

  it.each<[Defect, string, string]>([
    ['repeats', 'Repeat the request', 'cbp payment list'],
    ['unsigned', 'Hear PAYMENT_CREATED', 'its signature does not match'],
    ['silent', 'Hear PAYMENT_CREATED', 'Can the service reach http://127.0.0.1'],
    ['never-completes', 'Wait until it is COMPLETED', 'POST /webhooks/payment-status'],
    ['fails', 'Wait until it is COMPLETED', 'cbp payment show'],
    ['unverified', 'Verify it', 'cbp payment verify'],
    ['forbids', 'Subscribe to webhooks', 'payments:read payments:write webhooks:read webhooks:write'],
    ['refuses-target', 'Subscribe to webhooks', 'log'],
    ['is-another', 'Create a payment', 'Is --url the address'],
    ['keeps-subscriptions', 'Remove the subscription', 'a little later'],
  ])('ends with exit code 1 and says what to check: a service that %s', async (defect, step, check) => {
    const at = await service(defect)
    const { code, json } = await demo(at, ['--json'])
    const { passed, steps } = json() as Document
    const failed = steps.filter(({ status }) => status === 'failed')
    expect([code, passed, failed.map(({ name }) => name), failed[0]?.check]).toEqual([1, false, [step], expect.stringContaining(check)])
    if (defect !== 'keeps-subscriptions') expect(at.subscriptions()).toEqual([])
  })

  it('tells a failure on stderr where a person looks on', async () => {
    const { code, stdout, stderr } = await demo(await service('never-completes'))
    expect([code, stdout]).toEqual([1, expect.stringContaining('✘ Wait until it is COMPLETED')])
    expect(stderr).toMatch(/^error: After 1 s the payment is still PROCESSING\.\n/)
  })

  it('ends on a signal, and removes its subscription all the same', async () => {
    const at = await service('never-completes')
    const stop = new AbortController()
    const onOutput = (text: string): void => {
      if (text.includes('Process it')) stop.abort('SIGINT')
    }
    expect(await demo(at, [], { cancel: stop.signal, onOutput })).toMatchObject({ code: 130 })
    expect(at.subscriptions()).toEqual([])
  })

  it('mints a token of the data directory where none is given', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cbp-demo-test-'))
    closing.push(() => rm(folder, { recursive: true }))
    const at = await service()
    const { code } = await run(memoryHost(), ['demo', '--url', at.url], { env: { CBP_DATA_DIR: folder }, cwd: folder })
    expect([code, [...at.tokens].every((token) => /^(Bearer ey\S+|)$/.test(token)), at.tokens.size]).toEqual([0, true, 2])
  })

  it('needs a token outside development', async () => {
    const env = stagingSettings
    const ended = await run(memoryHost(), ['demo', '--url', (await service()).url], { env })
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('needs a token') })
  })

  it('ends with exit code 5 when no service answers', async () => {
    const at = await demoService()
    await at.stop()
    expect(await demo(at)).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining('Start one with: cbp serve') })
  })
})

describe('the demonstration with a service of its own', { timeout: 60_000 }, () => {
  it('goes all the way', async () => {
    const { code, json } = await run(memoryHost(), ['demo', '--json'])
    const { passed, steps } = json() as Document
    expect([code, passed, steps.filter(({ status }) => status === 'failed')]).toEqual([0, true, []])
  })

  it('pays no heed to the settings of other services', async () => {
    const env = { CBP_ENV: 'production', CBP_PORT: '1', CBP_SQL_URL: 'mssql://nowhere', CBP_TOKEN: 'a.b.c' }
    expect(await run(memoryHost(), ['demo'], { env })).toMatchObject({ code: 0 })
  })

  it('leaves nothing on the disk', async () => {
    const left = async (): Promise<readonly string[]> => (await readdir(tmpdir())).filter((name) => /^cbp-demo-(?!test)/.test(name))
    const before = await left()
    await run(memoryHost(), ['demo'])
    expect(await left()).toEqual(before)
  })
})
