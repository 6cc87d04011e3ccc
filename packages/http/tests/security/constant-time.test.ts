import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Mac } from '@cbp/core'
import { fakeInboundSecret } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { nodeMac } from '../../src/assembly/platform/node-mac.ts'
import { openApp } from '../support.ts'

/** Compares as ever, and writes down what was compared. */
function watched(): Readonly<{ mac: Mac; compared: (readonly [string, string])[] }> {
  const compared: (readonly [string, string])[] = []
  const equal = (left: string, right: string): boolean => {
    compared.push([left, right])
    return nodeMac.equal(left, right)
  }
  return { mac: { ...nodeMac, equal }, compared }
}

describe('the signature of a webhook', () => {
  it('is compared with every candidate, whichever of them fits', async () => {
    const { mac, compared } = watched()
    const { call } = await openApp({ ports: { mac } })
    const raw = JSON.stringify({
      paymentId: '01890a5d-ac96-774b-bcce-b302099a8057',
      status: 'COMPLETED',
      occurredAt: new Date().toISOString(),
    })
    const timestamp = String(Math.floor(Date.now() / 1000))
    const key = Buffer.from(fakeInboundSecret.replace('whsec_', ''), 'base64')
    const right = `v1,${createHmac('sha256', key).update(`m.${timestamp}.${raw}`).digest('base64')}`
    const wrong = `v1,${Buffer.alloc(32).toString('base64')}`
    const nearly = `${right.slice(0, -2)}${right.at(-2) === 'A' ? 'B' : 'A'}=`
    const counts: number[] = []
    const statuses: number[] = []
    for (const signature of [
      [right, wrong, wrong],
      [wrong, wrong, right],
      [wrong, nearly, wrong],
      [nearly, nearly, nearly],
    ]) {
      compared.length = 0
      const headers = {
        authorization: undefined,
        'webhook-id': 'm',
        'webhook-timestamp': timestamp,
        'webhook-signature': signature.join(' '),
      }
      statuses.push((await call('POST', '/webhooks/payment-status', { raw, headers })).status)
      counts.push(compared.length)
    }
    // A payment that there is not: the signature was right.
    expect(statuses).toEqual([404, 404, 401, 401])
    expect(new Set(counts).size).toBe(1)
    expect((counts[0] ?? 0) % 3).toBe(0)
    expect(counts[0]).toBeGreaterThan(0)
  })
})

describe('an API key', () => {
  it('is compared by its MAC alone, with every secret that the key has', async () => {
    const { mac, compared } = watched()
    const { call } = await openApp({ ports: { mac } })
    const made = (await (await call('POST', '/api-keys', { body: { name: 'n', permissions: ['config:read'] } })).json()) as {
      id: string
      key: string
    }
    const rotated = (await (await call('POST', `/api-keys/${made.id}/rotate`)).json()) as { key: string }
    const secretOf = (key: string): string => key.split('_')[3] ?? ''
    for (const key of [made.key, rotated.key]) {
      compared.length = 0
      expect((await call('GET', '/config', { headers: { authorization: `Bearer ${key}` } })).status).toBe(200)
      expect(compared).toHaveLength(2)
      for (const [left, right] of compared) {
        expect(left).toHaveLength(right.length)
        expect(left + right).not.toContain(secretOf(key))
      }
    }
  })
})

describe('the comparison', () => {
  it('takes as long for texts that differ in front as for texts that differ at their end', () => {
    // Long enough that one which stops at the first difference would be done a thousand times sooner.
    const text = 'x'.repeat(500_000)
    const others = { front: `y${text.slice(1)}`, end: `${text.slice(0, -1)}y` }
    const took: Record<'front' | 'end', number[]> = { front: [], end: [] }
    for (let times = 0; times < 15; times += 1) {
      for (const where of ['front', 'end'] as const) {
        const startedAt = performance.now()
        expect(nodeMac.equal(text, others[where])).toBe(false)
        took[where].push(performance.now() - startedAt)
      }
    }
    const fastest = (all: readonly number[]): number => Math.min(...all)
    expect(fastest(took.front) / fastest(took.end)).toBeGreaterThan(0.2)
    expect(fastest(took.front) / fastest(took.end)).toBeLessThan(5)
  })

  it('is the only one that decides about secrets', () => {
    const core = new URL('../../../core/src/', import.meta.url)
    for (const file of ['webhooks/signature.ts', 'access/authenticate-api-key.ts']) {
      const source = readFileSync(new URL(file, core), 'utf8')
      expect(source).toContain('mac.equal(')
      expect(source).not.toMatch(/\b\w*(?:mac|signature|secret|expected|candidate|brought)\w*\s*[!=]==(?!\s*null)/i)
    }
    expect(readFileSync(new URL('../../src/assembly/platform/node-mac.ts', import.meta.url), 'utf8')).toContain('timingSafeEqual(')
  })
})
