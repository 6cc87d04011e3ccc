import { describe, expect, it } from 'vitest'
import { createCore } from '../create-core.ts'
import type { FakeClock } from '../kernel/testing/fake-clock.ts'
import { fakePorts } from '../testing/fake-ports.ts'
import type { AlertOnce, SteppedAlert } from './alert-once.ts'
import type { Stream } from './event.ts'

const alert: SteppedAlert = {
  condition: 'certificate-1',
  step: 1,
  component: 'security',
  severity: 'WARNING',
  details: { daysLeft: 30 },
}

/** Two instances over one store. */
type Instances = Readonly<{ tell: readonly AlertOnce[]; told: () => Promise<readonly unknown[]>; clock: FakeClock }>

function instances(): Instances {
  const ports = fakePorts()
  const tell = [1, 2].map(() => createCore(ports).events.alertOnce)
  const told = async (): Promise<readonly unknown[]> => {
    const events = await ports.outbox.pending([{ stream: 'system' as Stream, after: 0 }], 10)
    return events._unsafeUnwrap().map(({ event }) => [event.type, event.payload])
  }
  return { tell, told, clock: ports.clock }
}

describe('an alert that is told once', () => {
  it('is published as a system alert', async () => {
    const { tell, told } = instances()
    expect((await tell[0]?.(alert))?._unsafeUnwrap()).toBe(true)
    const payload = { component: 'security', severity: 'WARNING', details: { daysLeft: 30 }, timestamp: expect.any(String) }
    expect(await told()).toEqual([['SYSTEM_ALERT', payload]])
  })

  it('is told by one of several instances', async () => {
    const { tell, told, clock } = instances()
    const telling = Promise.all(tell.map((each) => each(alert)))
    await clock.advance(1000)
    const answers = await telling
    expect(answers.filter((answer) => answer._unsafeUnwrap())).toHaveLength(1)
    expect(await told()).toHaveLength(1)
  })

  it('is told again for a later step, never for an earlier one', async () => {
    const { tell, told } = instances()
    for (const step of [2, 1, 2, 3]) await tell[0]?.({ ...alert, step })
    expect(await told()).toHaveLength(2)
  })

  it('is told for each condition', async () => {
    const { tell, told } = instances()
    await tell[0]?.(alert)
    await tell[1]?.({ ...alert, condition: 'certificate-2' })
    expect(await told()).toHaveLength(2)
  })
})
