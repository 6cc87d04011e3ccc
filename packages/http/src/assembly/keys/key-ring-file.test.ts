import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openKeyRing } from './key-ring-file.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cbp-key-ring-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function ringFile(content: unknown, mode = 0o600): Promise<string> {
  const path = join(await folder(), 'keyring.json')
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode })
  await chmod(path, mode)
  return path
}

const newKey = (): string => randomBytes(32).toString('base64')
const [key, otherKey] = [newKey(), newKey()]

async function reasonOf(path: string, generate = false): Promise<string> {
  return (await openKeyRing(path, { generate }))._unsafeUnwrapErr().reason
}

describe('a key ring', () => {
  it('seals with its first key and opens with all of them', async () => {
    const before = (await openKeyRing(await ringFile({ keys: [{ id: 'old', key }] }), { generate: false }))._unsafeUnwrap()
    const rotated = [
      { id: 'new', key: otherKey },
      { id: 'old', key },
    ]
    const after = (await openKeyRing(await ringFile({ keys: rotated }), { generate: false }))._unsafeUnwrap()
    expect(after.keyIds).toEqual(['new', 'old'])
    expect(after.seal('secret', 'a')).toMatch(/^v1\.new\./)
    expect(after.unseal(before.seal('secret', 'a'), 'a')._unsafeUnwrap()).toBe('secret')
  })

  it('is found, where there is none, to be missing, with how to make it', async () => {
    const path = join(await folder(), 'keyring.json')
    expect(await reasonOf(path)).toBe(
      `The key ring ${path} does not exist; write {"keys": [{"id": "k1", "key": "<openssl rand -base64 32>"}]} to it with mode 0600`,
    )
    expect(await reasonOf(join(path, 'below'))).toContain('does not exist')
    expect(await reasonOf(await folder())).toContain('cannot be read (EISDIR)')
  })

  it.each([0o644, 0o640, 0o660, 0o604, 0o610])('is refused with mode %o, and the reason tells how to mend it', async (mode) => {
    const path = await ringFile({ keys: [{ id: 'k1', key }] }, mode)
    expect(await reasonOf(path)).toBe(`The key ring ${path} can be read by others (mode 0${mode.toString(8)}); run: chmod 600 ${path}`)
  })

  it.each([0o666, 0o602, 0o777])('is refused with mode %o in every environment, because anyone can replace its keys', async (mode) => {
    const path = await ringFile({ keys: [{ id: 'k1', key }] }, mode)
    const reason = `The key ring ${path} can be written by everyone (mode 0${mode.toString(8)}); run: chmod 600 ${path}`
    expect([await reasonOf(path), await reasonOf(path, true)]).toEqual([reason, reason])
  })

  it.each([0o600, 0o400])('is taken with mode %o', async (mode) => {
    expect((await openKeyRing(await ringFile({ keys: [{ id: 'k1', key }] }, mode), { generate: false })).isOk()).toBe(true)
  })

  it.each([
    ['', 'is not a key ring'],
    ['{"keys":', 'is not a key ring'],
    [[], 'it has to be {"keys": …} and nothing else'],
    [{}, 'keys has to be a list'],
    [{ keys: [] }, 'keys has no key; the first is the one that seals'],
    [{ keys: [{ id: 'k1', key }], more: 1 }, 'it has to be {"keys": …} and nothing else'],
    [{ keys: [{ id: 'k1', key, more: 1 }] }, 'keys.0 has to have an id, a key and nothing else'],
    [{ keys: [{ id: '', key }] }, 'keys.0.id has to be 1 to 32 characters'],
    [{ keys: [{ id: 'K1', key }] }, 'keys.0.id has to be 1 to 32 characters'],
    [{ keys: [{ id: 'k.1', key }] }, 'keys.0.id has to be 1 to 32 characters'],
    [{ keys: [{ id: 'k'.repeat(33), key }] }, 'keys.0.id has to be 1 to 32 characters'],
    [{ keys: [{ id: 1, key }] }, 'keys.0.id has to be text'],
    [{ keys: [{ id: 'k1', key: 1 }] }, 'keys.0.key has to be text'],
    [{ keys: [{ id: 'k1', key: '' }] }, 'keys.0.key has to be 32 bytes in base64'],
    [{ keys: [{ id: 'k1', key: randomBytes(31).toString('base64') }] }, 'keys.0.key has to be 32 bytes in base64'],
    [{ keys: [{ id: 'k1', key: randomBytes(33).toString('base64') }] }, 'keys.0.key has to be 32 bytes in base64'],
    [{ keys: [{ id: 'k1', key: randomBytes(32).toString('hex') }] }, 'keys.0.key has to be 32 bytes in base64'],
    [{ keys: [{ id: 'k1', key: `${'A'.repeat(42)}B=` }] }, 'keys.0.key has to be 32 bytes in base64'],
    [
      {
        keys: [
          { id: 'k1', key },
          { id: 'k1', key: otherKey },
        ],
      },
      'has two keys with the id k1',
    ],
    [
      {
        keys: [
          { id: 'k1', key },
          { id: 'k2', key },
        ],
      },
      'has the key of k2 twice',
    ],
  ])('is refused when it holds %j', async (content, reason) => {
    const path = await ringFile(content)
    const told = await reasonOf(path)
    expect(told).toContain(reason)
    expect(await reasonOf(path, true)).toBe(told)
  })

  it('never shows a key in a reason', async () => {
    for (const content of [
      `{"keys":[{"id":"k1","key":"${key}"}`,
      `"${key}"`,
      { keys: [{ id: key, key: `${key}${key}` }] },
      { keys: [], [key]: 1 },
      { keys: [{ [key]: 1 }] },
    ]) {
      expect(await reasonOf(await ringFile(content))).not.toContain(key.slice(0, 12))
    }
  })
})

describe('a key ring of development', () => {
  it('is made once, for its owner alone, in a folder that is made for it, and nothing else stays behind', async () => {
    const dataDir = join(await folder(), 'a', 'b')
    const path = join(dataDir, 'keyring.json')
    const sealed = (await openKeyRing(path, { generate: true }))._unsafeUnwrap().seal('secret', 'a')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(dataDir)).toEqual(['keyring.json'])
    for (const generate of [true, false]) {
      expect((await openKeyRing(path, { generate }))._unsafeUnwrap().unseal(sealed, 'a')._unsafeUnwrap()).toBe('secret')
    }
  })

  it('is the same for all that start at once', async () => {
    const path = join(await folder(), 'keyring.json')
    const rings = await Promise.all(Array.from({ length: 20 }, () => openKeyRing(path, { generate: true })))
    const sealed = rings.map((ring) => ring._unsafeUnwrap().seal('secret', 'a'))
    for (const ring of rings) for (const text of sealed) expect(ring._unsafeUnwrap().unseal(text, 'a').isOk()).toBe(true)
  })

  it('is taken as it is where there is one, also when others can read it', async () => {
    const path = await ringFile({ keys: [{ id: 'mine', key }] }, 0o644)
    expect((await openKeyRing(path, { generate: true }))._unsafeUnwrap().keyIds).toEqual(['mine'])
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ keys: [{ id: 'mine', key }] })
  })

  it('says what to set when it can be neither read nor made', async () => {
    expect(await reasonOf('/proc/x/keyring.json', true)).toContain('set CBP_DATA_DIR')
    const path = join(await folder(), 'keyring.json')
    await mkdir(path)
    expect(await reasonOf(path, true)).toContain('EISDIR')
  })
})
