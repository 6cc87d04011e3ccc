import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type OpenedKeyRing, openKeyRing } from './key-ring-file.ts'
import { type RingFile, ringFile } from './rotate-ring-file.ts'

type Ring = Readonly<{ path: string; file: RingFile; open: (pollMs?: number) => Promise<OpenedKeyRing>; ids: () => Promise<string> }>

async function ringOf(...ids: readonly string[]): Promise<Ring> {
  const folder = await mkdtemp(join(tmpdir(), 'cbp-rotate-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'ring.json')
  let tags = 0
  const keys = ids.map((id) => ({ id, key: randomBytes(32).toString('base64') }))
  await writeFile(path, JSON.stringify({ keys }), { mode: 0o600 })
  return {
    path,
    file: ringFile(path, { generate: false, now: () => new Date('2026-11-22T10:00:00Z'), tag: () => String(++tags) }),
    open: async (pollMs = 60_000) => {
      const ring = (await openKeyRing(path, { generate: false, pollMs }))._unsafeUnwrap()
      onTestFinished(() => ring.close())
      return ring
    },
    ids: async () =>
      (JSON.parse(await readFile(path, 'utf8')) as { keys: { id: string; state?: string }[] }).keys
        .map((each) => `${each.id}${each.state ?? ''}`)
        .join(),
  }
}

describe('the file of a ring', () => {
  it('is given a next key at its end, which is put in front later, and keeps the others until they are removed', async () => {
    const { file, ids } = await ringOf('a', 'b')
    expect(file.next()._unsafeUnwrap()).toBeNull()
    expect(file.addNext()._unsafeUnwrap()).toBe('k20261122-1')
    expect([await ids(), file.next()._unsafeUnwrap()]).toEqual(['a,b,k20261122-1next', 'k20261122-1'])
    expect(file.promoteNext()._unsafeUnwrap()).toBe('k20261122-1')
    expect(await ids()).toBe('k20261122-1,a,b')
    expect(file.remove(['k20261122-1', 'a']).isOk()).toBe(true)
    expect(await ids()).toBe('k20261122-1,b')
  })

  it('is changed once, however often the same step is taken', async () => {
    const { file, ids } = await ringOf('a')
    for (let again = 0; again < 3; again += 1) expect(file.addNext()._unsafeUnwrap()).toBe('k20261122-1')
    expect(await ids()).toBe('a,k20261122-1next')
    for (let again = 0; again < 3; again += 1) expect(file.promoteNext()._unsafeUnwrap()).toBe('k20261122-1')
    expect(await ids()).toBe('k20261122-1,a')
    file.addNext()
    expect(await ids()).toBe('k20261122-1,a,k20261122-2next')
  })

  it('never gives the name of a key to another, not even when that one is gone: what it sealed would pass for current', async () => {
    const { path } = await ringOf('a')
    const ring = (await openKeyRing(path, { generate: false }))._unsafeUnwrap()
    onTestFinished(() => ring.close())
    const rotate = (): string => {
      ring.file?.addNext()
      const id = ring.file?.promoteNext()._unsafeUnwrap() ?? ''
      ring.refresh()
      ring.file?.remove(ring.keyIds.slice(1))
      return id
    }
    const names = Array.from({ length: 20 }, rotate)
    expect(new Set(names).size).toBe(20)
    for (const name of names) expect(name).toMatch(/^k\d{8}-[0-9a-f]{8}$/)
  })

  it('stays for its owner alone, and leaves nothing beside it', async () => {
    const { file, path } = await ringOf('a')
    await chmod(path, 0o400)
    file.addNext()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(dirname(path))).toEqual(['ring.json'])
  })

  it('behind a link is changed where it is: others may come to it by another way', async () => {
    const { file, path, ids } = await ringOf('a')
    const kept = join(dirname(path), 'kept')
    await mkdir(kept)
    await rename(path, join(kept, 'ring.json'))
    await symlink(join('kept', 'ring.json'), path)
    file.addNext()
    expect((await lstat(path)).isSymbolicLink()).toBe(true)
    expect([await ids(), await readdir(kept)]).toEqual(['a,k20261122-1next', ['ring.json']])
    expect(JSON.parse(await readFile(join(kept, 'ring.json'), 'utf8'))).toMatchObject({ keys: [{ id: 'a' }, { id: 'k20261122-1' }] })
  })

  it.runIf(process.getuid?.() === 0)(
    'belongs to whom it belonged, so that the service reads what an administrator has changed',
    async () => {
      const { file, path } = await ringOf('a')
      await chown(path, 65_534, 65_533)
      expect(file.addNext().isOk()).toBe(true)
      expect(await stat(path)).toMatchObject({ uid: 65_534, gid: 65_533 })
      expect((await stat(path)).mode & 0o777).toBe(0o600)
    },
  )

  it('that is not there or holds no ring is left alone, and reasons show no key', async () => {
    const { file, path } = await ringOf('a')
    await writeFile(path, '{"keys":', { mode: 0o600 })
    expect(file.addNext()._unsafeUnwrapErr()).toContain('is not a key ring')
    expect(await readFile(path, 'utf8')).toBe('{"keys":')
    await rm(path)
    expect(file.promoteNext()._unsafeUnwrapErr()).toContain('does not exist')
  })
})

describe('a ring that is open while its file changes', () => {
  it('learns of the change by itself', async () => {
    const { file, open } = await ringOf('a')
    const ring = await open(20)
    file.addNext()
    await vi.waitUntil(() => ring.keyIds.join() === 'a,k20261122-1', { timeout: 5000 })
    expect(ring.seal('s', 'c')).toMatch(/^v1\.a\./)
    file.promoteNext()
    await vi.waitUntil(() => ring.keyIds[0] === 'k20261122-1', { timeout: 5000 })
    const sealed = ring.seal('s', 'c')
    expect([ring.isCurrent(sealed), ring.unseal(sealed, 'c')._unsafeUnwrap()]).toEqual([true, 's'])
  })

  it('reads the file at once when a secret needs a key that it does not know', async () => {
    const { file, open } = await ringOf('a')
    const [ring, other] = [await open(), await open()]
    file.addNext()
    file.promoteNext()
    other.refresh()
    expect(ring.unseal(other.seal('s', 'c'), 'c')._unsafeUnwrap()).toBe('s')
  })

  it('does not read it again and again for a key that is nowhere', async () => {
    const { file, open } = await ringOf('a')
    const ring = await open()
    const unknown = ring.seal('s', 'c').replace('v1.a.', 'v1.z.')
    expect(ring.unseal(unknown, 'c').isErr()).toBe(true)
    file.addNext()
    expect([ring.unseal(unknown, 'c').isErr(), ring.keyIds.join()]).toEqual([true, 'a'])
    await sleep(1100)
    expect([ring.unseal(unknown, 'c').isErr(), ring.keyIds.join()]).toEqual([true, 'a,k20261122-1'])
  })

  it('goes on with what it knows while the file cannot be used', async () => {
    const { path, open } = await ringOf('a')
    const ring = await open(20)
    const sealed = ring.seal('s', 'c')
    await writeFile(path, 'half', { mode: 0o600 })
    expect(ring.refresh()._unsafeUnwrapErr()).toContain('is not a key ring')
    await rm(path)
    await sleep(100)
    expect(ring.unseal(sealed, 'c')._unsafeUnwrap()).toBe('s')
  })
})
