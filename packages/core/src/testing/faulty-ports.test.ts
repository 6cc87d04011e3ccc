import { okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { CacheRecord } from '../config/index.ts'
import { faultyConfigCache } from '../config/testing/faulty-config-cache.ts'
import { faultyConfigStore } from '../config/testing/faulty-config-store.ts'
import type { Delivery, SequencedEvent, Stream } from '../events/index.ts'
import { type EventBrokerFault, faultyEventBroker } from '../events/testing/faulty-event-broker.ts'
import { faultyOutbox } from '../events/testing/faulty-outbox.ts'
import { fakeClock } from '../kernel/testing/fake-clock.ts'
import { type CallFault, scriptedFaults } from '../kernel/testing/faults.ts'
import { faultyTransactions } from '../kernel/testing/faulty-transactions.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import { configStoreContract } from './config-store.contract.ts'
import { fakePorts } from './fake-ports.ts'
import { fakeStore } from './fake-store/fake-store.ts'
import { outboxContract } from './outbox.contract.ts'
import { emit, expectOk } from './store-units.ts'
import { transactionsContract } from './transactions.contract.ts'

const stream = 'system' as Stream
const request = { owner: 'relay', limit: 1, leaseMs: 1000, eventLimit: 1 }

describe('wrappers without faults', () => {
  const open = async () => {
    const clock = fakeClock()
    const store = fakeStore(clock)
    const { transactions, configStore, outbox } = store
    return {
      ...store,
      clock,
      transactions: faultyTransactions(transactions, scriptedFaults([])),
      configStore: faultyConfigStore(configStore, scriptedFaults([])),
      outbox: faultyOutbox(outbox, scriptedFaults([])),
    }
  }
  transactionsContract(open, 10)
  configStoreContract(open, 10)
  outboxContract(open, 10)
})

describe('faultyConfigStore', () => {
  it('fails a read, or answers it late', async () => {
    const { clock, configStore } = fakePorts()
    const store = faultyConfigStore(
      configStore,
      scriptedFaults(['unavailable-before', 'slow'], () => clock.sleep(10)),
    )
    expect((await store.head())._unsafeUnwrapErr().kind).toBe('store-unavailable')
    const late = store.head()
    expect(clock.sleepers()).toBe(1)
    await clock.advance(10)
    expect(await expectOk(late)).toMatchObject({ revision: 0 })
  })
})

describe('faultyOutbox', () => {
  it.each<readonly [CallFault, number]>([
    ['unavailable-before', 1],
    ['unavailable-after', 0],
  ])('answers a lease with %s, after which so many streams are free: %i', async (fault, free) => {
    const ports = fakePorts()
    await emit(ports, ports.ids, stream)
    const outbox = faultyOutbox(ports.outbox, scriptedFaults([fault]))
    expect((await outbox.lease(request)).isErr()).toBe(true)
    expect(await expectOk(outbox.lease(request))).toHaveLength(free)
  })
})

describe('faultyConfigCache', () => {
  const recordAt = (stamp: number): CacheRecord => ({ stamp: stamp as Revision, revision: stamp as Revision, entry: null })

  it('forgets, loses a write, and answers an old record only while its time is not over', async () => {
    const { clock, configCache } = fakePorts()
    const cache = faultyConfigCache(configCache, scriptedFaults([null, null, 'forgotten', null, 'old', 'lost', null, 'old', 'old']), clock)
    await cache.write('name', recordAt(1), 1000)
    await cache.write('name', recordAt(2), 2000)
    const reads = [await cache.read('name'), await cache.read('name'), await cache.read('name')]
    expect(reads.map((record) => record?.stamp ?? null)).toEqual([null, 2, 1])
    await cache.write('name', recordAt(3), 1000)
    expect((await cache.read('name'))?.stamp).toBe(2)
    await clock.advance(1000)
    expect((await cache.read('name'))?.stamp).toBe(2)
    await clock.advance(1000)
    expect(await cache.read('name')).toBeNull()
  })
})

describe('faultyEventBroker', () => {
  it.each<readonly [EventBrokerFault | null, string, number, number]>([
    [null, 'confirmed', 1, 1],
    ['refused', 'event-refused', 0, 0],
    ['unavailable', 'broker-unavailable', 0, 0],
    ['confirm-lost', 'broker-unavailable', 1, 1],
    ['delivered-late', 'broker-unavailable', 0, 1],
    ['duplicated', 'confirmed', 2, 2],
  ])('under %s answers %s, delivered %i times at once and %i at last', async (fault, answer, atOnce, atLast) => {
    const { clock, ids, eventBroker } = fakePorts()
    const broker = faultyEventBroker(
      eventBroker,
      scriptedFaults([fault], () => clock.sleep(10)),
    )
    const deliveries: Delivery[] = []
    broker.subscribe({ name: 'all', topics: ['#'], handle: (delivery) => okAsync(void deliveries.push(delivery)) })
    const payload = { component: 'a', details: {}, severity: 'INFO', timestamp: '' } as const
    const event: SequencedEvent = {
      id: ids.next(),
      stream,
      sequence: 1,
      occurredAt: 0,
      traceparent: null,
      event: { type: 'SYSTEM_ALERT', payload },
    }
    const outcome = await broker.publish(event)
    expect(
      outcome.match(
        () => 'confirmed',
        ({ kind }): string => kind,
      ),
    ).toBe(answer)
    expect(deliveries).toHaveLength(atOnce)
    await clock.advance(10)
    expect(deliveries).toHaveLength(atLast)
  })
})
