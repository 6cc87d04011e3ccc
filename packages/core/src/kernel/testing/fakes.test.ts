import { describe, expect, it } from 'vitest'
import { fullJitterMs } from '../random.ts'
import { clockContract } from './clock.contract.ts'
import { digestContract } from './digest.contract.ts'
import { fakeClock } from './fake-clock.ts'
import { fakeDigest } from './fake-digest.ts'
import { fakeIds } from './fake-ids.ts'
import { fakeLog } from './fake-log.ts'
import { fakeRandom } from './fake-random.ts'
import { fakeSignals } from './fake-signals.ts'
import { idSourceContract } from './id-source.contract.ts'
import { signalsContract } from './signals.contract.ts'

clockContract(async () => {
  const clock = fakeClock()
  return { clock, pass: clock.advance }
})
digestContract(async () => ({ digest: fakeDigest() }))
idSourceContract(async () => ({ ids: fakeIds() }))
signalsContract(async () => ({ signals: fakeSignals(), arrived: async () => {} }))

describe('fakeClock', () => {
  it('shows each sleeper its own deadline', async () => {
    const clock = fakeClock({ start: 0 })
    const seen: number[] = []
    const sleepers = [30, 10, 20].map((ms) => clock.sleep(ms).then(() => seen.push(clock.now())))
    await clock.advance(100)
    await Promise.all(sleepers)
    expect([seen, clock.now()]).toEqual([[10, 20, 30], 100])
  })

  it('wakes those of one deadline in the order in which they fell asleep', async () => {
    const clock = fakeClock()
    const woken: string[] = []
    for (const name of ['first', 'second', 'third']) void clock.sleep(10).then(() => woken.push(name))
    await clock.advance(10)
    expect(woken).toEqual(['first', 'second', 'third'])
  })

  it('wakes within one advance who goes to sleep again', async () => {
    const clock = fakeClock({ start: 0 })
    const ticks: number[] = []
    const loop = async (): Promise<void> => {
      while (ticks.length < 5) {
        await clock.sleep(10)
        ticks.push(clock.now())
      }
    }
    const looping = loop()
    await clock.advance(60)
    await looping
    expect(ticks).toEqual([10, 20, 30, 40, 50])
  })

  it('goes straight to the next deadline', async () => {
    const clock = fakeClock({ start: 0 })
    const sleeping = clock.sleep(86_400_000)
    expect(clock.nextDeadline()).toBe(86_400_000)
    expect([await clock.advanceToNext(), await clock.advanceToNext()]).toEqual([true, false])
    await sleeping
    expect(clock.now()).toBe(86_400_000)
  })

  it('keeps no sleeper who was woken', async () => {
    const clock = fakeClock()
    void clock.sleep(10)
    expect(clock.sleepers()).toBe(1)
    await clock.advance(10)
    expect(clock.sleepers()).toBe(0)
  })
})

describe('fakeIds', () => {
  it('makes the same ids in every run, and others for another node', () => {
    const first = fakeIds()
    const again = fakeIds()
    const other = fakeIds({ node: 1 })
    expect([first.next(), first.next()]).toEqual([again.next(), again.next()])
    expect(fakeIds().next()).not.toBe(other.next())
  })
})

describe('fakeRandom', () => {
  it('repeats itself for one seed, and differs for another', () => {
    const draw = (seed: number): readonly number[] => {
      const random = fakeRandom(seed)
      return Array.from({ length: 5 }, () => random.fraction())
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it('spreads evenly over [0, 1)', () => {
    const random = fakeRandom(1)
    const tenths = Array.from({ length: 10 }, () => 0)
    for (let count = 0; count < 10_000; count += 1) {
      const tenth = Math.floor(random.fraction() * 10)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    expect(tenths.every((count) => count > 900 && count < 1100)).toBe(true)
  })

  it('keeps full jitter below its bound', () => {
    const random = fakeRandom(1)
    for (let attempt = 1; attempt < 60; attempt += 1) {
      const bound = Math.min(500, 5 * 2 ** (attempt - 1))
      expect(fullJitterMs(random, attempt, 5, 500)).toBeLessThan(bound)
    }
  })
})

describe('fakeLog', () => {
  it('keeps what was logged', () => {
    const log = fakeLog()
    log.write('warn', 'slow', { ms: 5 })
    log.write('info', 'done')
    expect(log.entries).toEqual([
      { level: 'warn', message: 'slow', fields: { ms: 5 } },
      { level: 'info', message: 'done', fields: {} },
    ])
  })
})
