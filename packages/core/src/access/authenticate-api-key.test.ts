import { errAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { storeUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import { fakeDigest } from '../kernel/testing/fake-digest.ts'
import { fakeMac } from '../kernel/testing/fake-mac.ts'
import { fakeSecretSource } from '../kernel/testing/fake-secret-source.ts'
import { expectOk } from '../testing/store-units.ts'
import { formatKeyText, newKeySecret, parseKeyText } from './key-text.ts'
import type { ApiKeyStore } from './ports/api-key-store.ts'
import {
  type AccessWorld,
  accessWorld,
  anywhere,
  deafInstance,
  issued,
  minuteMs,
  revoke,
  rotated,
  textOf,
  tried,
  watching,
} from './testing/access-under-test.ts'

const digest = fakeDigest()
const away = 'the store is away'

/** A key with a checksum that fits, and nothing behind it. */
function madeUp(seed: number, id: string = `01890a5d-ac96-774b-bcce-${String(seed).padStart(12, '0')}`): string {
  return formatKeyText(digest, { environment: 'development', id: id as Uuid, secret: newKeySecret(fakeSecretSource(seed)) })
}

/** A world whose store of keys fails, hangs or is as it is. */
function moody(): AccessWorld & { mood: 'well' | 'failing' | 'hanging' } {
  const inner = accessWorld()
  const world: { mood: 'well' | 'failing' | 'hanging' } = { mood: 'well' }
  const apiKeyStore: ApiKeyStore = {
    ...inner.ports.apiKeyStore,
    apiKey: (id) => {
      if (world.mood === 'well') return inner.ports.apiKeyStore.apiKey(id)
      return world.mood === 'failing' ? errAsync(storeUnavailable(away)) : new ResultAsync(new Promise(() => {}))
    },
  }
  return Object.assign(world, accessWorld({ ...inner.ports, apiKeyStore }))
}

describe('authenticating an API key', () => {
  it('tells who holds it', async () => {
    const world = accessWorld()
    const { key, ...made } = await issued(world, { permissions: ['payments:read', 'keys:read'] })
    expect(await world.core.access.authenticateApiKey(textOf({ key, ...made }), anywhere)).toEqual({
      client: `api-key|${key.id}`,
      userId: null,
      permissions: new Set(['payments:read', 'keys:read']),
      configScopes: null,
      expiresAt: key.secrets[0]?.expiresAt,
    })
  })

  it('answers at once where the key was read a moment ago', async () => {
    const world = accessWorld()
    const text = textOf(await issued(world))
    expect(world.core.access.authenticateApiKey(text, anywhere)).toBeInstanceOf(Promise)
    await tried(world, text)
    expect(world.core.access.authenticateApiKey(text, anywhere)).toMatchObject({ userId: null })
    expect(world.reads.count).toBe(1)
  })

  it('never asks the store for a key with a typing error, or of another environment', async () => {
    const world = accessWorld()
    const text = textOf(await issued(world))
    for (let place = 0; place < text.length; place += 1) {
      const other = text.charAt(place) === '7' ? '8' : '7'
      await tried(world, `${text.slice(0, place)}${other}${text.slice(place + 1)}`)
      await tried(world, `${text.slice(0, place)}${text.charAt(place + 1)}${text.charAt(place)}${text.slice(place + 2)}x`)
    }
    const elsewhere = formatKeyText(digest, { ...parseKeyText(digest, text)._unsafeUnwrap(), environment: 'production' })
    expect(await tried(world, elsewhere)).toBe('it belongs to the environment production')
    expect(world.reads.count).toBe(0)
  })

  it('compares with every secret of the key in constant time, whichever fits', async () => {
    const compared: string[] = []
    const inner = fakeMac()
    const mac = { ...inner, equal: (left: string, right: string) => compared.push(left) > 0 && inner.equal(left, right) }
    const world = accessWorld({ mac })
    const made = await issued(world)
    const texts = [textOf(made), textOf(await rotated(world, made.key.id)), textOf(await rotated(world, made.key.id))]
    for (const text of [...texts, madeUp(1, made.key.id)]) {
      await tried(world, text)
      compared.length = 0
      await tried(world, text)
      expect(compared).toHaveLength(3)
    }
  })

  it('refuses the secret of another key', async () => {
    const world = accessWorld()
    const [one, other] = [await issued(world), await issued(world)]
    const { secret } = parseKeyText(digest, textOf(other))._unsafeUnwrap()
    const mixed = formatKeyText(digest, { environment: 'development', id: one.key.id, secret })
    expect(await tried(world, mixed)).toBe('its secret is none of the key')
  })

  it('asks where the request comes from, of a key that says so', async () => {
    const world = accessWorld()
    const text = textOf(await issued(world, { allowedFrom: ['192.0.2.0/24'] }))
    const asked: unknown[] = []
    const outcome = await world.core.access.authenticateApiKey(text, (blocks) => asked.push(blocks) === 0)
    expect([outcome, asked]).toMatchObject([{ kind: 'api-key-refused', reason: 'it may not be used from there' }, [['192.0.2.0/24']]])
    expect(await tried(world, text)).toBe('ok')
  })

  it('L18: knows a new secret at once, also where the old row is still at hand', async () => {
    const world = accessWorld()
    const elsewhere = deafInstance(world)
    const made = await issued(world)
    await tried(elsewhere, textOf(made))
    await elsewhere.ports.clock.advance(1000)
    expect(await tried(elsewhere, textOf(await rotated(world, made.key.id)))).toBe('ok')
  })

  it('reads a key once a second at most, however many wrong secrets are tried', async () => {
    const world = accessWorld()
    const made = await issued(world)
    await tried(world, textOf(made))
    for (let seed = 1; seed <= 50; seed += 1) {
      expect(await tried(world, madeUp(seed, made.key.id))).toBe('its secret is none of the key')
      await world.ports.clock.advance(100)
    }
    expect(world.reads.count).toBeLessThanOrEqual(7)
  })
})

describe('what is known of API keys', () => {
  it('is dropped when another instance tells that something has changed', async () => {
    const world = accessWorld()
    const elsewhere = accessWorld(world.ports)
    const made = await issued(world)
    await watching(elsewhere, async () => {
      expect(await tried(elsewhere, textOf(made))).toBe('ok')
      await revoke(world, made.key.id)
      expect(await tried(elsewhere, textOf(made))).toBe('it was revoked')
    })
  })

  it('is renewed before it is old, so that a key in use is answered at once', async () => {
    const world = accessWorld()
    const text = textOf(await issued(world))
    await tried(world, text)
    for (let seconds = 0; seconds < 120; seconds += 1) {
      await world.ports.clock.advance(1000)
      expect(world.core.access.authenticateApiKey(text, anywhere)).not.toBeInstanceOf(Promise)
    }
    expect(world.reads.count).toBeLessThanOrEqual(13)
  })

  it('L18: serves while the store is away until 55 s after it was read, and not beyond', async () => {
    const world = moody()
    const text = textOf(await issued(world))
    await tried(world, text)
    world.mood = 'failing'
    await world.ports.clock.advance(54_000)
    expect(await tried(world, text)).toBe('ok')
    await world.ports.clock.advance(1001)
    expect(await tried(world, text)).toContain(away)
    world.mood = 'well'
    expect(await tried(world, text)).toBe('ok')
  })

  it('serves for the rest of that time also where the store hangs, after a moment of patience', async () => {
    const world = moody()
    const text = textOf(await issued(world))
    await tried(world, text)
    world.mood = 'hanging'
    await world.ports.clock.advance(20_000)
    const first = tried(world, text)
    await world.ports.clock.advance(2000)
    expect(await first).toBe('ok')
    expect(world.core.access.authenticateApiKey(text, anywhere)).toMatchObject({ userId: null })
    await world.ports.clock.advance(40_000)
    const late = tried(world, text)
    world.mood = 'well'
    await world.ports.clock.advance(10_000)
    expect(await late).toBe('the store did not answer in time')
    expect(await tried(world, text)).toBe('ok')
  })

  it('is forgotten when the clock is set back, which would make it young again', async () => {
    const world = accessWorld()
    const text = textOf(await issued(world))
    await tried(world, text)
    await world.ports.clock.advance(-30_000)
    await tried(world, text)
    expect(world.reads.count).toBe(2)
  })

  it('asks the store once for many requests that come at the same time', async () => {
    const world = accessWorld()
    const text = textOf(await issued(world))
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => tried(world, text)))
    await Promise.all(Array.from({ length: 100 }, () => tried(world, madeUp(1))))
    expect([new Set(outcomes), world.reads.count]).toEqual([new Set(['ok']), 2])
  })

  it('remembers for a moment that there is no such key, of a bounded number, and forgets no key for it', async () => {
    const world = accessWorld()
    const text = textOf(await issued(world))
    await tried(world, text)
    for (let seed = 1; seed <= 1200; seed += 1) await tried(world, madeUp(seed))
    const before = world.reads.count
    expect([await tried(world, madeUp(1200)), await tried(world, text)]).toEqual(['there is no such key', 'ok'])
    expect(world.reads.count).toBe(before)
    await tried(world, madeUp(1))
    await world.ports.clock.advance(5000)
    await tried(world, madeUp(1200))
    expect(world.reads.count).toBe(before + 2)
  })

  it('lets a flood of made-up ids wait for no more than so many reads', async () => {
    const world = moody()
    const text = textOf(await issued(world))
    await tried(world, text)
    world.mood = 'hanging'
    const flood = Array.from({ length: 300 }, (_, seed) => world.core.access.authenticateApiKey(madeUp(seed + 1), anywhere))
    expect(flood.filter((each) => !(each instanceof Promise))).toHaveLength(44)
    expect(await tried(world, text)).toBe('ok')
  })

  it('counts a defect of the store as a store that is away', async () => {
    const inner = accessWorld()
    const apiKeyStore: ApiKeyStore = {
      ...inner.ports.apiKeyStore,
      apiKey: () => {
        throw new Error('a bug')
      },
    }
    expect(await tried(accessWorld({ ...inner.ports, apiKeyStore }), madeUp(1))).toContain('a defect')
  })

  it('takes no answer for true that was read before the change it was told of', async () => {
    const inner = accessWorld()
    const gate: (() => void)[] = []
    const apiKeyStore: ApiKeyStore = {
      ...inner.ports.apiKeyStore,
      apiKey: (id) => {
        const read = inner.ports.apiKeyStore.apiKey(id)
        return new ResultAsync(new Promise<void>((open) => gate.push(open)).then(() => read))
      },
    }
    const elsewhere = accessWorld({ ...inner.ports, apiKeyStore })
    const made = await issued(inner)
    await watching(elsewhere, async () => {
      const trying = tried(elsewhere, textOf(made))
      await revoke(inner, made.key.id)
      gate.shift()?.()
      await elsewhere.ports.clock.advance(1)
      gate.shift()?.()
      expect(await trying).toBe('it was revoked')
    })
  })
})

describe('when an API key was used last', () => {
  it('is written once a minute, to the minute, and at the end', async () => {
    const world = accessWorld()
    const made = await issued(world)
    const usedAt = async () =>
      (await expectOk(world.core.access.apiKey({ client: 'issuer|shop', seesAll: false }, made.key.id))).use?.lastUsedAt ?? null
    const start = world.ports.clock.now()
    await watching(world, async () => {
      await world.ports.clock.advance(10_000)
      await tried(world, textOf(made))
      await world.ports.clock.advance(1000)
      expect(await usedAt()).toBeNull()
      await world.ports.clock.advance(65_000)
      expect(await usedAt()).toBe(start)
      await tried(world, textOf(made))
    })
    expect(await usedAt()).toBe(start + minuteMs)
  })

  it('is not set back by an instance that writes later', async () => {
    const world = accessWorld()
    const elsewhere = deafInstance(world)
    const made = await issued(world)
    await tried(elsewhere, textOf(made))
    await world.ports.clock.advance(5 * minuteMs)
    await tried(world, textOf(made))
    const usedAt = world.ports.clock.now()
    for (const each of [world, elsewhere]) await watching(each, async () => {})
    const [use] = await expectOk(world.ports.apiKeyStore.apiKeyUses([made.key.id]))
    expect(use?.lastUsedAt).toBe(usedAt)
  })

  it('waits in memory while the store is away', async () => {
    const inner = accessWorld()
    const mood = { failing: true }
    const transactions: typeof inner.ports.transactions = {
      ...inner.ports.transactions,
      attempt: (unit, work) => (mood.failing ? errAsync(storeUnavailable(away)) : inner.ports.transactions.attempt(unit, work)),
    }
    const made = await issued(inner)
    const world = accessWorld({ ...inner.ports, transactions })
    await tried(world, textOf(made))
    await watching(world, () => world.ports.clock.advance(65_000))
    mood.failing = false
    await watching(world, async () => {})
    expect(await expectOk(world.ports.apiKeyStore.apiKeyUses([made.key.id]))).toHaveLength(1)
  })
})
