import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Ended, run, stagingSettings } from '../../tests/harness.ts'
import { systemHost } from '../host.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cbp-identity-'))
})
afterAll(() => rm(folder, { recursive: true, maxRetries: 3 }))

function cbp(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return run(systemHost, line.split(' '), { env: { CBP_DATA_DIR: folder, ...env }, cwd: folder })
}

const create = 'payment create --amount 5 --currency EUR --payee-id p --payee-name P --user u --json'

it('acts as the client of a token that the service would accept', async () => {
  const token = (await cbp('token mint --sub shop')).stdout.trim()
  expect((await cbp(create, { CBP_TOKEN: token })).json()).toMatchObject({ client: 'cbp-development|shop' })
})

it('acts as the user of the operating system without one', async () => {
  expect((await cbp(create)).json()).toMatchObject({ client: 'cli:tester' })
})

it('ends with exit code 1 over a token that the service would refuse, and changes nothing', async () => {
  const before = (await cbp('payment list --all --json')).stdout
  const { code, stdout, problem } = await cbp(`${create} --idempotency-key k`, { CBP_TOKEN: 'a.b.c' })
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect((await cbp('payment list --all --json')).stdout).toBe(before)
  expect(problem()).toMatchObject({ code: 'token-refused' })
})

it('ends with a failure, not with a defect, where settings are not acceptable', async () => {
  const { CBP_KEYRING: _left, ...settings } = stagingSettings
  expect(await cbp('payment list', { ...settings, CBP_TOKEN: 'a.b.c' })).toMatchObject({ code: 2, stdout: '' })
})
