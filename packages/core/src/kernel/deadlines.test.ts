import { describe, expect, it } from 'vitest'
import { deadlines } from './deadlines.ts'
import { fakeClock } from './testing/fake-clock.ts'

describe('deadlines', () => {
  it('passes on what comes in time', async () => {
    const clock = fakeClock()
    const within = deadlines(clock, 100)
    expect(await within(Promise.resolve('value'), () => 'expired')).toBe('value')
    await clock.advance(0)
    expect(clock.sleepers()).toBe(0)
  })

  it('answers each promise at its own deadline, with one timer for all', async () => {
    const clock = fakeClock()
    const within = deadlines(clock, 100)
    const answers: string[] = []
    const never = new Promise<string>(() => {})
    void within(never, () => 'first').then((answer) => answers.push(answer))
    await clock.advance(60)
    void within(never, () => 'second').then((answer) => answers.push(answer))
    expect(clock.sleepers()).toBe(1)
    await clock.advance(40)
    expect(answers).toEqual(['first'])
    await clock.advance(60)
    expect(answers).toEqual(['first', 'second'])
  })

  it('passes a defect on', async () => {
    const within = deadlines(fakeClock(), 100)
    await expect(within(Promise.reject(new Error('defect')), () => null)).rejects.toThrow('defect')
  })

  it('guards what comes after an idle time as well', async () => {
    const clock = fakeClock()
    const within = deadlines(clock, 100)
    await within(Promise.resolve(1), () => 0)
    await clock.advance(1000)
    const late = within(new Promise<number>(() => {}), () => 0)
    await clock.advance(100)
    expect(await late).toBe(0)
  })
})
