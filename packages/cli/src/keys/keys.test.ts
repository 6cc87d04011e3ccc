import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Ended, memoryHost, noHost, type RunOptions, run } from '../../tests/harness.ts'
import type { Host } from '../host.ts'

const nobody = '01890000-0000-7000-8000-00000000dead'

type Made = Readonly<{ id: string; key: string; jwe?: string; version: number; status: string; permissions: readonly string[] }>

function key(host: Host, line: string, options: RunOptions = {}): Promise<Ended> {
  return run(host, ['key', ...line.split(' ')], options)
}

async function made(host: Host, more = ''): Promise<Made> {
  return (await key(host, `create till --permissions payments:read --json${more}`)).json()
}

async function fileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cbp-keys-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'recipient.jwk')
  await writeFile(path, text)
  return path
}

describe('key create', () => {
  it('tells the key once, with a warning on stderr', async () => {
    const host = memoryHost()
    const { code, stdout, stderr } = await key(host, 'create till --permissions payments:read')
    expect([code, stdout, stderr]).toEqual([
      0,
      expect.stringMatching(/^key {2,}cbp_development_\S+$/m),
      expect.stringContaining('shown this once'),
    ])
    expect((await key(host, 'list --all --json')).stdout).not.toContain('cbp_development')
  })

  it('takes permissions, scopes, addresses and a lifetime', async () => {
    const line = ' --permissions config:read,KEYS:READ --scope /production /staging --from 192.0.2.7/24 2001:db8::1 --days 30'
    expect(await made(memoryHost(), line)).toMatchObject({
      permissions: ['payments:read', 'config:read', 'keys:read'],
      configScopes: ['/production', '/staging'],
      allowedFrom: ['192.0.2.0/24', '2001:db8::1/128'],
      owner: expect.stringMatching(/^cli:/),
    })
  })

  it('lets an operator grant anything, and a token no more than it allows', async () => {
    expect((await key(memoryHost(), 'create root --permissions admin --json')).code).toBe(0)
    const identity = { client: 'issuer|shop', userId: null, permissions: new Set(['keys:write']), configScopes: null, expiresAt: 0 }
    const host: Host = { ...memoryHost(), identify: async () => (await import('neverthrow')).ok(identity) }
    const { code, problem } = await key(host, 'create root --permissions admin --json', { env: { CBP_TOKEN: 'token' } })
    expect([code, problem()]).toEqual([1, expect.objectContaining({ code: 'beyond-grant', permissions: ['admin'] })])
    const own = await key(host, 'create till --permissions keys:write --json', { env: { CBP_TOKEN: 'token' } })
    expect(own.json()).toMatchObject({ owner: 'issuer|shop' })
  })

  it('seals to a public key, and then prints no key and no warning', async () => {
    const path = await fileWith(JSON.stringify({ kty: 'EC', kid: 'desk' }))
    const { stdout, stderr } = await key(memoryHost(), `create till --permissions payments:read --to ${path}`)
    expect(stdout).toMatch(/^jwe {2,}sealed for desk/m)
    expect([stdout.includes('\nkey '), stderr]).toEqual([false, ''])
  })

  it('refuses what nothing can be sealed to, and prints none of it', async () => {
    const broken = await fileWith('{"kty":"EC","d":"c2VjcmV0')
    const refused = await key(noHost, `create till --permissions payments:read --to ${broken}`)
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be read as JSON') })
    expect(refused.stderr).not.toContain('c2Vj')
    expect(await key(noHost, `create till --permissions payments:read --to ${await fileWith('[]')}`)).toMatchObject({ code: 2 })
    expect(await key(noHost, `create till --permissions payments:read --to ${broken}.none`)).toMatchObject({ code: 2 })
    const oct = await key(memoryHost(), `create till --permissions payments:read --to ${await fileWith('{"kty":"oct"}')} --json`)
    expect([oct.code, oct.problem()]).toEqual([1, expect.objectContaining({ code: 'unusable-recipient' })])
  })

  it.each([
    [['--permissions', 'root'], 'Allowed choices are admin'],
    [[], 'required option'],
    [['--permissions', 'admin', '--scope', 'production'], 'A scope is'],
    [['--permissions', 'admin', '--from', '10.0.0.256'], 'CIDR block'],
    [['--permissions', 'admin', '--days', '0'], 'whole number'],
  ])('refuses %j as wrong usage', async (more, told) => {
    expect(await run(noHost, ['key', 'create', 'till', ...more])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(told),
    })
  })

  it.each([' ', 'x'.repeat(101), 'a\u001bb'])('refuses the name %j', async (name) => {
    expect(await run(noHost, ['key', 'create', name, '--permissions', 'admin'])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('key list and show', () => {
  it('shows keys with their state, newest first, page by page', async () => {
    const host = memoryHost()
    const ids: string[] = []
    for (let count = 0; count < 3; count += 1) ids.unshift((await made(host)).id)
    const { stdout, stderr } = await key(host, 'list --limit 2')
    expect([stdout.includes('active'), stderr]).toEqual([true, expect.stringContaining(`--before ${ids[1]}`)])
    const all: Readonly<{ items: readonly Made[] }> = (await key(host, 'list --all --json')).json()
    expect(all.items.map(({ id }) => id)).toEqual(ids)
    expect((await key(memoryHost(), 'list')).stdout).toBe('There are no API keys.\n')
    expect((await key(host, `show ${ids[0]} --json`)).json()).toMatchObject({ id: ids[0], status: 'active', lastUsedAt: null })
    expect((await key(host, `show ${nobody}`)).code).toBe(4)
    expect((await key(host, 'show nonsense')).code).toBe(4)
  })
})

describe('key rotate', () => {
  it('tells another key beside the one before', async () => {
    const host = memoryHost()
    const { id, key: first } = await made(host)
    const { code, stdout } = await key(host, `rotate ${id}`)
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^key {2,}cbp_development_\S+$/m)])
    expect([stdout.includes(first), stdout.includes('older secrets')]).toEqual([false, true])
    for (let more = 0; more < 3; more += 1) await key(host, `rotate ${id}`)
    const refused = await key(host, `rotate ${id} --json`)
    expect([refused.code, refused.problem()]).toEqual([3, expect.objectContaining({ code: 'too-many-secrets' })])
    expect((await key(host, `rotate ${nobody}`)).code).toBe(4)
  })

  it('seals to a public key from standard input', async () => {
    const host = memoryHost()
    const { id } = await made(host)
    const rotated: Made = (await key(host, `rotate ${id} --to - --json`, { stdin: '{"kty":"EC","kid":"desk"}' })).json()
    expect([rotated.key, rotated.jwe]).toEqual([undefined, expect.stringContaining('sealed for desk')])
  })
})

describe('key revoke', () => {
  it('asks first, and needs --yes where there is nobody to ask', async () => {
    const host = memoryHost()
    const { id } = await made(host)
    expect(await key(host, `revoke ${id}`)).toMatchObject({ code: 2, stderr: expect.stringContaining('Add --yes') })
    const { code, stdout } = await run(host, ['key', 'revoke', id, '--reason', 'lost with the laptop', '--yes'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('revoked')])
    expect((await key(host, `show ${id} --json`)).json()).toMatchObject({ status: 'revoked' })
    expect((await key(host, `rotate ${id}`)).code).toBe(3)
    expect((await key(host, `revoke ${nobody} --yes`)).code).toBe(4)
  })
})
