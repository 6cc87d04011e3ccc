import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Ended, memoryHost, run } from '../../tests/harness.ts'
import { systemHost } from '../host.ts'

type Installation = Readonly<{
  cbp: (line: string, cancel?: AbortSignal) => Promise<Ended>
  ids: () => Promise<readonly string[]>
  ring: string
}>

/** A data directory of its own, with two subscriptions; one of them is disabled. */
async function installation(): Promise<Installation> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cbp-keyring-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const ring = join(dataDir, 'keyring.json')
  const cbp = (line: string, cancel?: AbortSignal): Promise<Ended> =>
    run(systemHost, line.split(' '), { env: { CBP_DATA_DIR: dataDir }, cwd: dataDir, ...(cancel === undefined ? {} : { cancel }) })
  for (const path of ['a', 'b']) {
    expect((await cbp(`webhook add --url http://127.0.0.1:9/${path} --types PAYMENT_CREATED --json`)).code).toBe(0)
  }
  const keysOf = async (): Promise<readonly string[]> =>
    (JSON.parse(await readFile(ring, 'utf8')) as { keys: { id: string; state?: string }[] }).keys.map(
      ({ id, state }) => `${id}${state ?? ''}`,
    )
  return { cbp, ids: keysOf, ring }
}

const usage = async ({ cbp }: Installation): Promise<unknown> => ((await cbp('keyring status --json')).json() as { keys: unknown }).keys

describe('cbp keyring', () => {
  it('rotates: a new key is first, everything is sealed again with it, and it is on record', async () => {
    const place = await installation()
    expect(await usage(place)).toEqual([{ id: 'k1', state: 'current', secrets: 3 }])
    const rotated = await place.cbp('keyring rotate --settle 1s --json')
    const [added = ''] = await place.ids()
    expect(rotated).toMatchObject({ code: 0 })
    expect(rotated.json()).toMatchObject({ current: added, added, rows: 3, resealed: 3, unopened: [], retired: [], keys: [added, 'k1'] })
    expect(await usage(place)).toEqual([
      { id: added, state: 'current', secrets: 3 },
      { id: 'k1', state: 'older', secrets: 0 },
    ])
    expect((await place.cbp('audit list --action key-ring.resealed --json')).json()).toMatchObject({
      items: [{ details: { resealed: 3 } }],
    })
    expect((await place.cbp('audit verify')).code).toBe(0)
  }, 30_000)

  it('tells how far it is on stderr', async () => {
    const { cbp } = await installation()
    const { stderr, stdout } = await cbp('keyring rotate --settle 1s')
    expect(stderr).toMatch(/Added key k\d{8}-\w{8}; it opens only\.\nWaiting 1 s .*\nKey k\d{8}-\w{8} seals from now on\.\nWaiting 1 s/)
    expect(stdout).toMatch(/3 secrets sealed again; all need k\d{8}-\w{8} alone\./)
  }, 30_000)

  it('interrupted while it waits is run again, and goes on with the same key', async () => {
    const place = await installation()
    const ending = new AbortController()
    setTimeout(() => ending.abort('SIGINT'), 1500)
    expect((await place.cbp('keyring rotate --settle 60s', ending.signal)).code).toBe(130)
    const waiting = await place.ids()
    expect(waiting).toEqual(['k1', expect.stringMatching(/^k\d{8}-\w{8}next$/)])
    expect((await place.cbp('keyring rotate --settle 1s --json')).json()).toMatchObject({ resealed: 3 })
    expect(await place.ids()).toEqual([waiting[1]?.replace('next', ''), 'k1'])
  }, 30_000)

  it('whose sealing was not finished finishes it before there is another key', async () => {
    const place = await installation()
    const { keys } = JSON.parse(await readFile(place.ring, 'utf8')) as { keys: object[] }
    const front = { id: 'k2', key: Buffer.alloc(32, 7).toString('base64') }
    await writeFile(place.ring, JSON.stringify({ keys: [front, ...keys] }))
    expect((await place.cbp('keyring rotate --json')).json()).toMatchObject({ added: null, current: 'k2', resealed: 3 })
    expect(await place.ids()).toEqual(['k2', 'k1'])
  }, 30_000)

  it('retires the keys that nothing needs, once it is agreed, and what was sealed opens all the same', async () => {
    const place = await installation()
    expect((await place.cbp('keyring rotate --settle 1s --retire')).code).toBe(2)
    expect(await place.ids()).toHaveLength(2)
    const retired = await place.cbp('keyring rotate --settle 1s --retire --yes --json')
    expect(retired.json()).toMatchObject({ retired: [expect.any(String), 'k1'], keys: [expect.any(String)] })
    expect((await place.cbp('audit verify --json')).json()).toMatchObject({ intact: true })
    expect((await place.cbp('audit list --action key-ring.resealed --limit 1 --json')).json()).toMatchObject({
      items: [{ details: { removed: { length: 2 } } }],
    })
    expect((await place.cbp('keyring rotate --settle 1s --json')).json()).toMatchObject({ resealed: 3, unopened: [] })
  }, 30_000)

  it('names what does not open, retires nothing, and ends with exit code 1', async () => {
    const place = await installation()
    await writeFile(place.ring, JSON.stringify({ keys: [{ id: 'other', key: Buffer.alloc(32, 9).toString('base64') }] }))
    expect(await usage(place)).toEqual([
      { id: 'other', state: 'current', secrets: 0 },
      { id: 'k1', state: 'missing', secrets: 3 },
    ])
    expect((await place.cbp('keyring status')).code).toBe(1)
    expect((await place.cbp('keyring rotate --json')).code).not.toBe(0)
    expect((await place.cbp('keyring rotate --retire --yes')).code).not.toBe(0)
    expect(await place.ids()).toEqual(['other'])
  }, 30_000)

  it('puts a new key first although one secret opens no more, and keeps the key that it needs', async () => {
    const place = await installation()
    const store = new DatabaseSync(join(dirname(place.ring), 'cbp.sqlite'))
    const { id } = store.prepare('SELECT id FROM subscriptions LIMIT 1').get() as { id: string }
    store.prepare("UPDATE subscriptions SET secrets = replace(secrets, 'v1.k1.', 'v1.k1.A') WHERE id = ?").run(id)
    store.close()
    for (const count of [1, 2]) {
      const rotated = await place.cbp('keyring rotate --settle 1s --json')
      expect(rotated.json()).toMatchObject({ added: expect.stringMatching(/^k\d{8}/), resealed: 2, unopened: [{ id }] })
      expect(rotated.code).toBe(1)
      expect(await place.ids()).toHaveLength(count + 1)
    }
    expect((await place.cbp('keyring rotate --settle 1s --retire --yes')).stderr).toContain('no key was removed')
    expect(await place.ids()).toContain('k1')
  }, 60_000)

  it('only seals again where another system keeps the ring, and says so', async () => {
    const { code, stderr, json } = await run(memoryHost(), ['keyring', 'rotate', '--json'])
    expect([code, json()]).toMatchObject([0, { added: null, resealed: 0, keys: ['key-1'] }])
    expect(stderr).toContain('ring-kept-elsewhere')
  })
})
