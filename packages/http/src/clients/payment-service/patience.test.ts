import { fakeClock, fakeLog, fakeRandom } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import type { Unanswered } from './exchange.ts'
import { openPatience } from './patience.ts'

const lost: Unanswered = { kind: 'unanswered', sent: true, cause: 'connection', reason: 'lost' }

describe('a call at its deadline', () => {
  it('waits for the try under way to say whether it was sent', async () => {
    const clock = fakeClock()
    const limits = {
      tryTimeoutMs: 500,
      backoffBaseMs: 1,
      backoffCapMs: 1,
      concurrency: 1,
      queue: 1,
      breakerFailures: 5,
      breakerOpenMs: 1000,
    }
    const patience = openPatience({ clock, random: fakeRandom(1), log: fakeLog(), limits, service: 'a service' })
    const calling = patience.call(
      (_, cancel) => new Promise((resolve) => cancel.addEventListener('abort', () => setImmediate(() => resolve(lost)))),
      { tries: 3, end: clock.now() + 100 },
    )
    await clock.advance(100)
    expect(await calling).toMatchObject({ sent: true, tries: 1 })
  })
})
