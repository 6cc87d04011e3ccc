import { type CryptoKey, exportJWK, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import { cooldownMs, type FindKeys, freshMs, issuerKeys, staleMs } from './issuer-keys.ts'

const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
const jwk = await exportJWK(pair.publicKey)

type Issuer = {
  kids: readonly string[]
  isAway: boolean
  asked: number
  nowMs: number
  readonly find: FindKeys
  readonly knows: (kid: string) => Promise<boolean | 'away'>
}

function openIssuer(): Issuer {
  const issuer: Issuer = {
    kids: ['one'],
    isAway: false,
    asked: 0,
    nowMs: 1_000_000,
    find: issuerKeys({
      url: 'https://issuer.test/jwks',
      log: { write: () => {} },
      now: () => issuer.nowMs,
      fetch: async () => {
        issuer.asked += 1
        await Promise.resolve()
        if (issuer.isAway) throw new TypeError('fetch failed')
        return new Response(JSON.stringify({ keys: issuer.kids.map((kid) => ({ ...jwk, kid })) }))
      },
    }),
    knows: async (kid) => {
      const found = await issuer.find({ alg: 'EdDSA', kid })
      return found === 'away' ? found : (found as readonly CryptoKey[]).length > 0
    },
  }
  return issuer
}

describe('the keys of an issuer', () => {
  it('are read once, however many ask at a time', async () => {
    const issuer = openIssuer()
    expect(await Promise.all(Array.from({ length: 50 }, () => issuer.knows('one')))).not.toContain(false)
    expect(issuer.asked).toBe(1)
  })

  it('are read again for a kid that is new, at once', async () => {
    const issuer = openIssuer()
    await issuer.knows('one')
    issuer.nowMs += cooldownMs
    issuer.kids = ['two']
    expect([await issuer.knows('two'), await issuer.knows('one'), issuer.asked]).toEqual([true, false, 2])
  })

  it('are read again also when the clock was set back', async () => {
    const issuer = openIssuer()
    await issuer.knows('one')
    issuer.nowMs -= 10 * staleMs
    issuer.kids = ['two']
    expect([await issuer.knows('two'), await issuer.knows('one'), issuer.asked]).toEqual([true, false, 2])
  })

  it('are not read more often than the cooldown allows, whatever kids are asked for', async () => {
    const issuer = openIssuer()
    for (let asked = 0; asked < 300; asked += 1) {
      expect(await issuer.knows(`unknown-${asked}`)).toBe(false)
      issuer.nowMs += cooldownMs / 100
    }
    expect(issuer.asked).toBeLessThanOrEqual(4)
  })

  it('are refreshed in the background when they are no longer fresh', async () => {
    const issuer = openIssuer()
    await issuer.knows('one')
    issuer.nowMs += freshMs + 1
    issuer.kids = ['one', 'two']
    expect(await issuer.knows('one')).toBe(true)
    await new Promise((resolve) => setImmediate(resolve))
    expect([issuer.asked, await issuer.knows('two'), issuer.asked]).toEqual([2, true, 2])
  })

  it('stay usable while the issuer is away, up to the bound, and not beyond', async () => {
    const issuer = openIssuer()
    await issuer.knows('one')
    issuer.isAway = true
    const answers: (boolean | 'away')[] = []
    for (const passed of [0, freshMs + 1, staleMs, staleMs + 1]) {
      issuer.nowMs = 1_000_000 + passed
      answers.push(await issuer.knows('one'))
    }
    expect(answers).toEqual([true, true, true, 'away'])
  })

  it('are away, without asking anew each time, until the issuer is back', async () => {
    const issuer = openIssuer()
    issuer.isAway = true
    expect([await issuer.knows('one'), await issuer.knows('one'), issuer.asked]).toEqual(['away', 'away', 1])
    issuer.isAway = false
    issuer.nowMs += cooldownMs
    expect(await issuer.knows('one')).toBe(true)
  })

  it.each<[string, () => Response]>([
    ['an error', () => new Response('', { status: 500 })],
    ['no JSON', () => new Response('<html>')],
    ['no key set', () => new Response('{"keys":{}}')],
    ['a set without a usable key', () => new Response('{"keys":[{"kty":"oct","k":"AAAA"}]}')],
    [
      'more keys than it should',
      () => new Response(JSON.stringify({ keys: Array.from({ length: 300 }, (_, at) => ({ ...jwk, kid: `k${at}` })) })),
    ],
    ['more than it should', () => new Response(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`)],
  ])('are kept when it answers %s', async (_name, answer) => {
    let isBroken = false
    let nowMs = 0
    const get = async (): Promise<Response> => (isBroken ? answer() : new Response(JSON.stringify({ keys: [{ ...jwk, kid: 'one' }] })))
    const find = issuerKeys({ url: 'https://issuer.test', log: { write: () => {} }, now: () => nowMs, fetch: get })
    await find({ alg: 'EdDSA', kid: 'one' })
    isBroken = true
    nowMs = freshMs + 1
    await find({ alg: 'EdDSA', kid: 'two' })
    expect(await find({ alg: 'EdDSA', kid: 'one' })).toHaveLength(1)
  })
})
