import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openKeyRing } from './key-ring-file.ts'
import { ringAddress } from './ring-address.ts'

const ring = JSON.stringify({ keys: [{ id: 'k1', key: randomBytes(32).toString('base64') }] })

async function script(body: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cbp-ring-command-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'keys.sh')
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o700 })
  return path
}

async function opened(setting: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return (await openKeyRing(ringAddress(setting, env, '/srv'), { generate: false })).match(
    ({ keyIds, file }) => `${keyIds.join()}${file === null ? ', kept elsewhere' : ''}`,
    ({ reason }) => reason,
  )
}

describe('a key ring', () => {
  it('is a file where nothing else is said', () => {
    expect(ringAddress('keys/ring.json', {}, '/srv')).toEqual({ kind: 'file', path: '/srv/keys/ring.json' })
  })

  it('may be the text of a variable', async () => {
    expect(await opened('env:KEYS', { KEYS: ring })).toBe('k1, kept elsewhere')
    expect(await opened('env:KEYS')).toBe('The key ring in KEYS is empty; set KEYS to the JSON of a ring')
    expect(await opened('env:KEYS', { KEYS: '{}' })).toContain('The key ring in KEYS is not a key ring')
    expect(JSON.stringify(ringAddress('env:KEYS', { KEYS: ring }, '/'))).not.toContain('keys":[')
  })

  it('may be the answer of a command, which is given its arguments and no shell', async () => {
    const path = await script(`test "$1" = '$(exit)' || exit 3\ncat <<'END'\n${ring}\nEND`)
    expect(await opened(`command:${path} $(exit)`)).toBe('k1, kept elsewhere')
    expect(await opened(`command:${path} other`)).toBe(`The key ring of ${path} cannot be had: the command ended with exit code 3`)
  })

  it('of a command that is not there, or says too much, is a fault that quotes nothing', async () => {
    expect(await opened('command:/nowhere/keys')).toBe('The key ring of /nowhere/keys cannot be had: the command cannot be run (ENOENT)')
    const path = await script('echo secret-in-stderr >&2; exit 1')
    expect(await opened(`command:${path}`)).not.toContain('secret-in-stderr')
  })

  it('of a command that does not answer is given up', async () => {
    const path = await script('exec sleep 60')
    expect(await opened(`command:${path}`)).toBe(`The key ring of ${path} cannot be had: the command took longer than 5 s`)
  }, 20_000)
})
