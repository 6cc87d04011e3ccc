import { expect, it, vi } from 'vitest'
import { openApp, put } from '../../tests/support.ts'
import { liveSettings } from './live-settings.ts'

it('hold what is set, within a moment, and stay the same objects while nothing changes', async () => {
  const { call, deps } = await openApp()
  const live = liveSettings(deps.core.config.tunable, 10)
  const ending = new AbortController()
  const running = live.run(ending.signal)
  const before = live.current().tokens
  await put(call, '/config/security/rate-limit.per-ip', { limit: 7, windowSeconds: 60 })
  await vi.waitFor(() => expect(live.current().perIp).toEqual({ limit: 7, windowSeconds: 60 }))
  const tokens = live.current().tokens
  await put(call, '/config/security/token.revocations', [{ jti: 'stolen' }])
  await vi.waitFor(() => expect(live.current().tokens).not.toBe(tokens))
  expect(live.current().tokens.isRevoked({ id: 'stolen', client: 'x', issuedAtSeconds: null })).toBe(true)
  expect(before.isRevoked({ id: 'stolen', client: 'x', issuedAtSeconds: null })).toBe(false)
  ending.abort()
  await running
})

it('refuse to be set to what they cannot be', async () => {
  const { call } = await openApp()
  const refused = async (key: string, value: unknown): Promise<number> => (await put(call, `/config/security/${key}`, value)).status
  expect([
    await refused('token.roles', { claim: '', permissions: {} }),
    await refused('token.roles', { claim: 'roles', permissions: { operator: ['Events Read'] } }),
    await refused('token.revocations', [{ client: 'x' }]),
    await refused('token.revocations', [{ jti: 'x', also: 1 }]),
    await refused('load-limits', { inFlight: 1 }),
  ]).toEqual([422, 422, 422, 422, 422])
})
