import { errAsync, okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { fakeIds } from '../../kernel/testing/fake-ids.ts'
import type { SequencedEvent, Stream } from '../event.ts'
import { eventBrokerContract } from './event-broker.contract.ts'
import { fakeEventBroker, topicMatches } from './fake-event-broker.ts'

eventBrokerContract(async () => ({ broker: fakeEventBroker() }), 100)

const event: SequencedEvent = {
  id: fakeIds().next(),
  stream: 'system' as Stream,
  sequence: 1,
  event: { type: 'SYSTEM_ALERT', payload: { component: 'payments', details: {}, severity: 'INFO', timestamp: '2026-01-01T00:00:00.000Z' } },
  occurredAt: 0,
  traceparent: null,
}

describe('fakeEventBroker', () => {
  it('answers the refusal of a consumer, and records only what was accepted', async () => {
    const broker = fakeEventBroker()
    broker.subscribe({ name: 'refusing', topics: ['#'], handle: () => errAsync({ kind: 'event-refused', reason: 'full' }) })
    broker.subscribe({ name: 'willing', topics: ['#'], handle: () => okAsync(undefined) })
    expect((await broker.publish(event))._unsafeUnwrapErr()).toEqual({ kind: 'event-refused', reason: 'full' })
    expect(broker.accepted.map(({ consumer }) => consumer)).toEqual(['willing'])
  })

  it('shares events between instances of one consumer', async () => {
    const broker = fakeEventBroker()
    const taken = [0, 0]
    for (const instance of [0, 1]) {
      broker.subscribe({
        name: 'shared',
        topics: ['#'],
        handle: () => {
          taken[instance] = (taken[instance] ?? 0) + 1
          return okAsync(undefined)
        },
      })
    }
    for (let count = 0; count < 4; count += 1) await broker.publish(event)
    expect(taken).toEqual([2, 2])
  })

  it.each([
    ['#', 'config.updated', true],
    ['*', 'config.updated', false],
    ['*.*', 'config.updated', true],
    ['config.#', 'config', true],
    ['config.#.updated', 'config.updated', true],
    ['config.*.updated', 'config.updated', false],
    ['#.updated', 'config.updated', true],
    ['config', 'config.updated', false],
  ])('matches %s with %s: %s', (pattern, key, expected) => {
    expect(topicMatches(pattern, key)).toBe(expected)
  })
})
