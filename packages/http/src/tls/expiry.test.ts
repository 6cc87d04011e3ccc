import { createCore, type SteppedAlert, type Stream, storeUnavailable } from '@cbp/core'
import { fakeClock, fakeLog, fakePorts } from '@cbp/core/testing'
import { errAsync, okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { expiryAlerts, expiryProbe, expiryStep } from './expiry.ts'
import type { TlsMaterial } from './material.ts'

const dayMs = 86_400_000

function materialUntil(expiresAt: number, fingerprint = 'f1'): TlsMaterial {
  return { cert: '', key: '', clientCa: null, names: 'DNS:localhost', fingerprint, expiresAt, hasRoot: false }
}

describe('the end of a certificate', () => {
  it.each([
    [31, 0],
    [30, 1],
    [14.1, 1],
    [14, 2],
    [7, 3],
    [1, 4],
    [-3, 4],
  ])('is, %d days before, at step %d', (days, step) => {
    expect(expiryStep(days * dayMs, 0)).toBe(step)
  })

  it('is told at 30, 14, 7 and 1 days, first as a warning and then as an error', async () => {
    const clock = fakeClock()
    const told: SteppedAlert[] = []
    const tls = { material: () => materialUntil(clock.now() > 0 ? start + 40 * dayMs : 0) }
    const start = clock.now()
    const ending = new AbortController()
    const alertOnce = (alert: SteppedAlert): ReturnType<Parameters<typeof expiryAlerts>[0]['alertOnce']> => {
      told.push(alert)
      return okAsync(true)
    }
    const running = expiryAlerts({ tls, alertOnce, clock, log: fakeLog() })(ending.signal)
    for (let hour = 0; hour < 41 * 24; hour += 1) await clock.advance(3_600_000)
    ending.abort()
    await clock.advance(1)
    await running
    expect(told.map(({ step, severity, details }) => [step, severity, details['daysLeft']])).toEqual([
      [1, 'WARNING', 30],
      [2, 'WARNING', 14],
      [3, 'ERROR', 7],
      [4, 'ERROR', 1],
    ])
  })

  it('is told once by several instances, and again for another certificate', async () => {
    const ports = fakePorts()
    const { clock } = ports
    let fingerprint = 'f1'
    const tls = { material: () => materialUntil(clock.now() + 6 * dayMs, fingerprint) }
    const ending = new AbortController()
    const instances = [1, 2].map(() =>
      expiryAlerts({ tls, alertOnce: createCore(ports).events.alertOnce, clock, log: fakeLog() })(ending.signal),
    )
    await clock.advance(3_600_000)
    const events = async (): Promise<number> =>
      (await ports.outbox.pending([{ stream: 'system' as Stream, after: 0 }], 10))._unsafeUnwrap().length
    expect(await events()).toBe(1)
    fingerprint = 'f2'
    await clock.advance(3_600_000)
    expect(await events()).toBe(2)
    ending.abort()
    await clock.advance(1)
    await Promise.all(instances)
  })

  it('is told later where the store is away', async () => {
    const clock = fakeClock()
    let asked = 0
    const ending = new AbortController()
    const running = expiryAlerts({
      tls: { material: () => materialUntil(clock.now() + dayMs) },
      alertOnce: () => {
        asked += 1
        if (asked === 1) return errAsync(storeUnavailable('away'))
        if (asked === 2) throw new Error('planted')
        return okAsync(true)
      },
      clock,
      log: fakeLog(),
    })(ending.signal)
    for (let look = 0; look < 6; look += 1) await clock.advance(600_000)
    ending.abort()
    await clock.advance(1)
    await running
    expect(asked).toBe(3)
  })

  it.each([
    [15, 'pass', 'the certificate is valid for 15 days more'],
    [14, 'warn', 'the certificate is valid for 14 days more'],
    [1, 'warn', 'the certificate is valid for 1 day more'],
    [-2, 'fail', 'the certificate expired 2 days ago'],
  ])('shows in health %d days before as %s', async (days, status, output) => {
    const probe = expiryProbe({ material: () => materialUntil(days * dayMs) }, () => 0)
    expect(await probe()).toMatchObject({ status, output, engine: 'tls' })
  })
})
