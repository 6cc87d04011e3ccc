import { fakeClock, fakeRandom } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import { circuit } from './circuit.ts'

function underTest() {
  const clock = fakeClock()
  const told: string[] = []
  const own = circuit({ clock, random: fakeRandom(1), onOpen: (reason) => told.push(reason), onClose: () => told.push('closed') })
  const fail = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      await clock.advance(5)
      own.failed(`failure ${time}`)
    }
  }
  return { clock, told, own, fail }
}

describe('circuit', () => {
  it('opens under a handful of failures in a row, once', async () => {
    const { own, fail, told } = underTest()
    await fail(4)
    expect(own.admits()).toBe(true)
    await fail(10)
    expect(own.admits()).toBe(false)
    expect(told).toEqual(['failure 0'])
  })

  it('takes what fails at one moment for one failure', () => {
    const { own } = underTest()
    for (let time = 0; time < 100; time += 1) own.failed('one hiccup')
    expect(own.admits()).toBe(true)
  })

  it('stays closed while fewer than a tenth of all calls fail', async () => {
    const { own, fail } = underTest()
    for (let time = 0; time < 100; time += 1) {
      await fail(1)
      for (let success = 0; success < 11; success += 1) own.succeeded()
    }
    expect(own.isSound()).toBe(true)
  })

  it('lets one call at a time look after a pause, and closes when that succeeds', async () => {
    const { own, fail, clock, told } = underTest()
    await fail(5)
    await clock.advance(250)
    expect([own.admits(), own.admits()]).toEqual([true, false])
    own.succeeded()
    expect([own.admits(), own.isSound(), told.at(-1)]).toEqual([true, true, 'closed'])
  })

  it('pauses longer each time that a look fails, five seconds at most', async () => {
    const { own, fail, clock } = underTest()
    await fail(5)
    const pauses: number[] = []
    for (let time = 0; time < 10; time += 1) {
      const from = clock.now()
      while (!own.admits()) await clock.advance(10)
      pauses.push(clock.now() - from)
      own.failed('still')
    }
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000)
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(2_500)
    expect(pauses[0]).toBeLessThanOrEqual(250)
  })

  it('does not take a late answer for a good sign', async () => {
    const { own, fail } = underTest()
    await fail(5)
    own.succeeded()
    expect(own.isOpen()).toBe(true)
  })

  it('looks at once when the clock is set back, rather than after a pause of hours', async () => {
    const { own, fail, clock } = underTest()
    await fail(5)
    await clock.advance(-3_600_000)
    expect(own.admits()).toBe(true)
  })
})
