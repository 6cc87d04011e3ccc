import type { Refusal } from '@cbp/core'
import { fakeInboundSecret, fakeRateLimiter } from '@cbp/core/testing'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { openApp, openServer, problemOf, type TestApp, type TestOptions, token } from '../../tests/support.ts'
import { systemClock } from '../assembly/platform/index.ts'
import { shippedSettings } from './live-settings.ts'

type Limited = TestApp & Readonly<{ noted: Refusal[] }>

async function openLimited(perIp: number, perClient: number, options: TestOptions = {}): Promise<Limited> {
  const noted: Refusal[] = []
  const settings = {
    ...shippedSettings,
    perIp: { limit: perIp, windowSeconds: 900 },
    perClient: { limit: perClient, windowSeconds: 900 },
  }
  const opened = await openApp({
    limiter: fakeRateLimiter(systemClock),
    settings: () => settings,
    note: (refusal) => void noted.push(refusal),
    ...options,
  })
  return { ...opened, noted }
}

async function statuses(
  { call }: TestApp,
  times: number,
  path = '/config',
  init: Parameters<TestApp['call']>[2] = {},
): Promise<readonly number[]> {
  const answered: number[] = []
  for (let time = 0; time < times; time += 1) answered.push((await call('GET', path, init)).status)
  return answered
}

describe('rate limits', () => {
  it('L19: admit the limit of an address and refuse what comes after, before anybody is authenticated', async () => {
    const opened = await openLimited(3, 100)
    expect(await statuses(opened, 4)).toEqual([200, 200, 200, 429])
    expect(await statuses(opened, 1, '/config', { headers: { authorization: 'Bearer x' } })).toEqual([429])
  })

  it('L19: admit the limit of a client, and another client of that address still', async () => {
    const opened = await openLimited(100, 2)
    expect(await statuses(opened, 3)).toEqual([200, 200, 429])
    const other = { headers: { authorization: `Bearer ${await token({ sub: 'other' })}` } }
    expect(await statuses(opened, 1, '/config', other)).toEqual([200])
  })

  it('count a client who may not do what it asks for', async () => {
    const opened = await openLimited(100, 2)
    const headers = { authorization: `Bearer ${await token({ scope: '' })}` }
    expect(await statuses(opened, 3, '/config', { headers })).toEqual([403, 403, 429])
  })

  it('tell on every answer what is left, and when refused what was met and when to come back', async () => {
    const opened = await openLimited(2, 5)
    const policy = '"per-ip";q=2;w=900, "per-client";q=5;w=900'
    const told = async (): Promise<readonly unknown[]> => {
      const { status, headers } = await opened.call('GET', '/config')
      return [status, headers.get('ratelimit-policy'), headers.get('ratelimit')?.replaceAll(/t=9\d\d/g, 't=9')]
    }
    expect(await told()).toEqual([200, policy, '"per-ip";r=1;t=9, "per-client";r=4;t=9'])
    const missing = await opened.call('GET', '/nothing/here')
    expect([missing.status, missing.headers.get('ratelimit')]).toEqual([404, expect.stringMatching(/^"per-ip";r=0;t=9\d\d$/)])
    const answer = await opened.call('GET', '/config')
    expect([answer.status, Number(answer.headers.get('retry-after')) > 800, await problemOf(answer)]).toEqual([
      429,
      true,
      expect.objectContaining({ code: 'rate-limited', 'violated-policies': ['per-ip'] }),
    ])
  })

  it('leave probes alone', async () => {
    const opened = await openLimited(1, 1)
    expect(await statuses(opened, 5, '/health/live')).toEqual([200, 200, 200, 200, 200])
    expect((await opened.call('GET', '/health/live')).headers.get('ratelimit')).toBeNull()
  })

  it('note who met them, and which credentials and permissions were refused', async () => {
    const opened = await openLimited(6, 1)
    const lacking = `Bearer ${await token({ scope: '', sub: 'lacking' })}`
    await statuses(opened, 2)
    await statuses(opened, 1, '/config', { headers: { authorization: 'Bearer x.y.z' } })
    await statuses(opened, 1, '/config', { headers: { authorization: lacking } })
    const confined = `Bearer ${await token({ cbp_scopes: ['/production'], sub: 'confined' })}`
    await statuses(opened, 1, '/config/payments/a?scope=/staging', { headers: { authorization: confined } })
    const writer = `Bearer ${await token({ scope: 'config:write', sub: 'writer' })}`
    const put = { headers: { authorization: writer, 'if-none-match': '*' }, body: { value: [], reason: 'x' } }
    await opened.call('PUT', '/config/security/token.revocations', put)
    await statuses(opened, 1)
    expect(opened.noted.map(({ action, actor }) => `${action} ${actor}`)).toEqual([
      'limit.hit client https://issuer.test|tester',
      'token.refused unknown',
      'permission.refused https://issuer.test|lacking',
      'scope.refused https://issuer.test|confined',
      'permission.refused https://issuer.test|writer',
      'limit.hit ip unknown',
    ])
    expect(JSON.stringify(opened.noted)).not.toContain('x.y.z')
  })

  it('refuse nobody less than asked for when the limiter has to be asked elsewhere', async () => {
    const inner = fakeRateLimiter(systemClock)
    const limiter = { take: async (request: Parameters<typeof inner.take>[0]) => inner.take(request) }
    expect(await statuses(await openLimited(2, 100, { limiter }), 3)).toEqual([200, 200, 429])
  })

  it('count by the address behind a trusted proxy', async () => {
    const settings = { ...shippedSettings, perIp: { limit: 1, windowSeconds: 900 } }
    const limiter = fakeRateLimiter(systemClock)
    const { url } = await openServer({ limiter, settings: () => settings, trustProxy: ['127.0.0.1/32'] })
    const ask = async (forwardedFor: string): Promise<number> =>
      (await fetch(`${url}/problems/not-found`, { headers: { 'x-forwarded-for': forwardedFor } })).status
    expect([await ask('192.0.2.1'), await ask('192.0.2.2'), await ask('9.9.9.9, 192.0.2.1')]).toEqual([200, 200, 429])
  })
})

describe('the limits of an inbound webhook', () => {
  const signer = new Webhook(fakeInboundSecret)
  const send = async ({ call }: TestApp, id: string, isSigned: boolean): Promise<number> => {
    const raw = JSON.stringify({
      paymentId: '01890a5d-ac96-774b-bcce-b302099a8057',
      status: 'COMPLETED',
      occurredAt: new Date().toISOString(),
    })
    const at = new Date()
    const headers = {
      authorization: undefined,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': isSigned ? signer.sign(id, at, raw) : `v1,${'A'.repeat(43)}=`,
    }
    return (await call('POST', '/webhooks/payment-status', { raw, headers })).status
  }

  it('are those of its sender when it is signed well, and those of its address when not', async () => {
    const opened = await openLimited(2, 3)
    const badly = [await send(opened, 'b1', false), await send(opened, 'b2', false), await send(opened, 'b3', false)]
    const well = [
      await send(opened, 'w1', true),
      await send(opened, 'w2', true),
      await send(opened, 'w3', true),
      await send(opened, 'w4', true),
    ]
    // No such payment: it was looked for.
    expect([badly, well]).toEqual([
      [401, 401, 429],
      [404, 404, 404, 429],
    ])
  })
})
