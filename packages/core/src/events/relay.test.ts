import { errAsync, okAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { cancelSource } from '../kernel/cancel.ts'
import type { Commit } from '../kernel/unit-of-work.ts'
import { type FakePorts, fakePorts } from '../testing/fake-ports.ts'
import type { SequencedEvent, Stream } from './event.ts'
import type { EventBroker } from './ports/event-broker.ts'
import { type Relay, relay } from './relay.ts'

const payments = 'config-payments' as Stream
const ledger = 'config-ledger' as Stream

type World = Readonly<{
  ports: FakePorts
  relay: Relay
  published: SequencedEvent[]
  emit: (stream: Stream, count: number) => Promise<void>
  start: () => () => Promise<void>
}>

type Publish = EventBroker['publish']

function worldOf(
  publishFrom: (accept: Publish, ports: FakePorts) => Publish = (accept) => accept,
  ports = fakePorts(),
  owner = 'relay-1',
): World {
  const published: SequencedEvent[] = []
  const accept: Publish = (event) => {
    published.push(event)
    return okAsync(undefined)
  }
  const own = relay({
    ...ports,
    broker: { publish: publishFrom(accept, ports), subscribe: ports.eventBroker.subscribe },
    owner,
    leaseMs: async () => 10_000,
    limits: { streams: 512, page: 64 },
  })
  return {
    ports,
    relay: own,
    published,
    emit: (stream, count) => emit(ports, stream, count),
    start: () => {
      const { signal, cancel } = cancelSource()
      const running = own.run(signal)
      return async () => {
        cancel()
        await ports.clock.advance(30_000)
        await running
      }
    },
  }
}

async function emit(ports: FakePorts, stream: Stream, count: number): Promise<void> {
  const committed = await ports.transactions.attempt(ports.ids.next(), (tx) => {
    for (let index = 0; index < count; index += 1) {
      const payload = { component: stream, details: {}, severity: 'INFO', timestamp: '2026-01-01T00:00:00.000Z' } as const
      tx.outbox.append({
        id: ports.ids.next(),
        stream,
        event: { type: 'CONFIG_UPDATED', payload },
        occurredAt: ports.clock.now(),
        traceparent: null,
      })
    }
    return okAsync(null)
  })
  const commit = committed.map((each): Commit => each.commit)
  if (commit.isOk()) for (const topic of commit.value.topics) ports.signals.raise(topic)
}

function sequences(events: readonly SequencedEvent[], stream: Stream): readonly number[] {
  return events.filter((event) => event.stream === stream).map(({ sequence }) => sequence)
}

async function backlogOf({ outbox }: FakePorts): Promise<number> {
  return (await outbox.backlog()).map(({ events }) => events).unwrapOr(-1)
}

describe('relay', () => {
  it('L12 L13: publishes every event of every stream in its order, and records it', async () => {
    const world = worldOf()
    await world.emit(payments, 150)
    const stop = world.start()
    await world.emit(ledger, 3)
    for (let turn = 0; turn < 20; turn += 1) await world.ports.clock.advance(100)
    expect(sequences(world.published, payments)).toEqual(Array.from({ length: 150 }, (_, index) => index + 1))
    expect(sequences(world.published, ledger)).toEqual([1, 2, 3])
    expect(await backlogOf(world.ports)).toBe(0)
    expect(world.relay.counts().confirmed).toBe(153)
    await stop()
  })

  it('hears of a new event without waiting for its next poll', async () => {
    const world = worldOf()
    const stop = world.start()
    await world.ports.clock.advance(100)
    await world.emit(payments, 1)
    await world.ports.clock.advance(0)
    expect(world.published).toHaveLength(1)
    await stop()
  })

  it('offers what a consumer puts off again, however often, and charges nothing with it', async () => {
    let putOffs = 20
    const world = worldOf((accept) => (event) => {
      putOffs -= 1
      return putOffs >= 0 ? errAsync({ kind: 'event-refused', reason: 'the store is away', isPutOff: true }) : accept(event)
    })
    await world.emit(payments, 2)
    const stop = world.start()
    for (let turn = 0; turn < 100; turn += 1) await world.ports.clock.advance(1000)
    expect(sequences(world.published, payments)).toEqual([1, 2])
    expect(world.relay.counts()).toMatchObject({ confirmed: 2, refused: 0, blocked: 0 })
    await stop()
  })

  it('waits while the broker is lost, charges no event with it, and goes on where it was', async () => {
    let isLost = true
    const world = worldOf((accept) => (event) => (isLost ? errAsync({ kind: 'broker-unavailable', reason: 'lost' }) : accept(event)))
    await world.emit(payments, 5)
    const stop = world.start()
    await world.ports.clock.advance(60_000)
    expect((await world.ports.outbox.stream(payments))._unsafeUnwrap()).toMatchObject({ refusals: 0, blocked: null })
    isLost = false
    await world.ports.clock.advance(10_000)
    expect(sequences(world.published, payments)).toEqual([1, 2, 3, 4, 5])
    expect(world.relay.counts().pauses).toBeGreaterThan(1)
    await stop()
  })

  it('blocks a stream whose event is refused again and again, visibly, and no other', async () => {
    const world = worldOf((accept) => (event) => {
      return event.stream === payments && event.sequence === 2 ? errAsync({ kind: 'event-refused', reason: 'too large' }) : accept(event)
    })
    await world.emit(payments, 3)
    await world.emit(ledger, 3)
    const stop = world.start()
    await world.ports.clock.advance(600_000)
    expect(sequences(world.published, payments)).toEqual([1])
    expect(sequences(world.published, ledger)).toEqual([1, 2, 3])
    const state = (await world.ports.outbox.stream(payments))._unsafeUnwrap()
    expect(state?.blocked).toMatchObject({ sequence: 2, reason: 'too large' })
    expect(world.ports.log.entries.some(({ level }) => level === 'error')).toBe(true)
    await stop()
  })

  it('goes on with a stream once it is unblocked', async () => {
    let isRefusing = true
    const world = worldOf((accept) => (event) => (isRefusing ? errAsync({ kind: 'event-refused', reason: 'no' }) : accept(event)))
    await world.emit(payments, 2)
    const stop = world.start()
    await world.ports.clock.advance(600_000)
    isRefusing = false
    await world.ports.outbox.unblock(payments)
    await world.ports.clock.advance(1000)
    expect(sequences(world.published, payments)).toEqual([1, 2])
    await stop()
  })

  it('takes a confirm that does not come in time for a lost broker, and publishes again', async () => {
    let isFirst = true
    const world = worldOf((accept) => (event) => {
      if (!isFirst) return accept(event)
      isFirst = false
      return new ResultAsync(new Promise(() => {}))
    })
    await world.emit(payments, 1)
    const stop = world.start()
    await world.ports.clock.advance(30_000)
    expect(sequences(world.published, payments)).toEqual([1])
    await stop()
  })

  it('L14: records nothing once another relay has taken the stream', async () => {
    const ports = fakePorts()
    let release = (): void => {}
    const stalled = worldOf(
      (accept) => (event) => ResultAsync.fromSafePromise(new Promise<void>((resolve) => (release = resolve))).andThen(() => accept(event)),
      { ...ports, outbox: { ...ports.outbox, renew: () => okAsync([]) } },
      'stalled',
    )
    await emit(ports, payments, 1)
    const stopStalled = stalled.start()
    await ports.clock.advance(10_001)
    const taken = (await ports.outbox.lease({ owner: 'other', limit: 1, leaseMs: 600_000, eventLimit: 1 }))._unsafeUnwrap()
    expect(taken).toHaveLength(1)
    release()
    await ports.clock.advance(5000)
    expect(await backlogOf(ports)).toBe(1)
    await stopStalled()
  })

  it('L12 L14: passes over nothing when what it held unrecorded comes after another relay has taken the stream', async () => {
    const ports = fakePorts()
    let answer = (): void => {}
    const late = new Promise<void>((resolve) => (answer = resolve))
    const refusedLate: unknown[] = []
    const record: FakePorts['outbox']['record'] = (reports) =>
      ResultAsync.fromSafePromise(late)
        .andThen(() => ports.outbox.record(reports))
        .andTee((refused) => refusedLate.push(...refused))
    let leases = 0
    const leaseOnce: FakePorts['outbox']['lease'] = (request) => (leases++ === 0 ? ports.outbox.lease(request) : okAsync([]))
    const stalled = worldOf(
      undefined,
      { ...ports, outbox: { ...ports.outbox, lease: leaseOnce, record, renew: () => okAsync([]) } },
      'stalled',
    )
    let isRefusing = true
    const other = worldOf(
      (accept) => (event) => (isRefusing && event.sequence === 2 ? errAsync({ kind: 'event-refused', reason: 'no' }) : accept(event)),
      ports,
      'other',
    )
    await emit(ports, payments, 3)
    const stopStalled = stalled.start()
    await ports.clock.advance(10_001)
    expect(sequences(stalled.published, payments)).toEqual([1, 2, 3])
    const stopOther = other.start()
    await ports.clock.advance(100)
    const before = (await ports.outbox.stream(payments))._unsafeUnwrap()
    expect(before).toMatchObject({ confirmed: 1 })
    answer()
    await ports.clock.advance(0)
    expect(refusedLate).toContainEqual(expect.objectContaining({ kind: 'confirmed', through: 3 }))
    expect((await ports.outbox.stream(payments))._unsafeUnwrap()).toMatchObject({ confirmed: 1 })
    isRefusing = false
    await ports.clock.advance(60_000)
    expect(sequences(other.published, payments)).toEqual([1, 2, 3])
    expect(await backlogOf(ports)).toBe(0)
    await Promise.all([stopStalled(), stopOther()])
  })

  it('gives its leases back when it is told to stop', async () => {
    const world = worldOf()
    await world.emit(payments, 1)
    const stop = world.start()
    await world.ports.clock.advance(1000)
    await stop()
    await world.emit(payments, 1)
    const leased = await world.ports.outbox.lease({ owner: 'next', limit: 1, leaseMs: 1000, eventLimit: 1 })
    expect(leased._unsafeUnwrap()).toMatchObject([{ events: [{ sequence: 2 }] }])
  })

  it('publishes again what the store did not take, rather than forgetting it', async () => {
    const ports = fakePorts()
    let isAway = true
    const world = worldOf(undefined, {
      ...ports,
      outbox: {
        ...ports.outbox,
        record: (reports) => (isAway ? errAsync({ kind: 'store-unavailable', reason: 'away' }) : ports.outbox.record(reports)),
      },
    })
    await world.emit(payments, 1)
    const stop = world.start()
    await ports.clock.advance(25_000)
    isAway = false
    await ports.clock.advance(25_000)
    expect(await backlogOf(ports)).toBe(0)
    expect(new Set(sequences(world.published, payments))).toEqual(new Set([1]))
    await stop()
  })

  it('records what is confirmed of a stream in hand together, not event by event', async () => {
    const ports = fakePorts()
    let records = 0
    const record: FakePorts['outbox']['record'] = (reports) => {
      records += 1
      return ports.outbox.record(reports)
    }
    const world = worldOf(undefined, { ...ports, outbox: { ...ports.outbox, record } })
    await world.emit(payments, 150)
    const stop = world.start()
    await ports.clock.advance(1000)
    expect(await backlogOf(ports)).toBe(0)
    expect(records).toBeLessThan(10)
    await stop()
  })

  it('records within 100 ms what is confirmed of a stream that it keeps in hand', async () => {
    const world = worldOf((accept) => (event) => (event.sequence === 3 ? new ResultAsync(new Promise(() => {})) : accept(event)))
    await world.emit(payments, 3)
    const stop = world.start()
    await world.ports.clock.advance(100)
    expect((await world.ports.outbox.stream(payments))._unsafeUnwrap()).toMatchObject({ confirmed: 2, refusals: 0 })
    await stop()
  })

  it('records what was confirmed before a refusal no later than the refusal', async () => {
    const world = worldOf((accept) => (event) => (event.sequence === 3 ? errAsync({ kind: 'event-refused', reason: 'no' }) : accept(event)))
    await world.emit(payments, 3)
    const stop = world.start()
    await world.ports.clock.advance(0)
    expect((await world.ports.outbox.stream(payments))._unsafeUnwrap()).toMatchObject({ confirmed: 2, refusals: 1 })
    await stop()
  })

  it('charges an event that alone is never confirmed, and not the broker', async () => {
    const world = worldOf((accept) => (event) => (event.stream === payments ? new ResultAsync(new Promise(() => {})) : accept(event)))
    await world.emit(payments, 1)
    const stop = world.start()
    for (let round = 0; round < 60; round += 1) {
      await world.emit(ledger, 1)
      await world.ports.clock.advance(5000)
    }
    expect((await world.ports.outbox.stream(payments))._unsafeUnwrap()?.blocked).not.toBeNull()
    expect(sequences(world.published, ledger)).toHaveLength(60)
    await stop()
  })

  it.each(['lease', 'renew', 'pending', 'record'] as const)('outlives a defect of the store in %s, and says so', async (method) => {
    const ports = fakePorts()
    let defects = 1
    const failing = (...args: readonly never[]): never => {
      if (defects > 0) {
        defects -= 1
        throw new Error('a defect')
      }
      return (ports.outbox[method] as (...given: readonly never[]) => never)(...args)
    }
    const world = worldOf(undefined, { ...ports, outbox: { ...ports.outbox, [method]: failing } })
    const stop = world.start()
    for (let round = 0; round < 10; round += 1) {
      await world.emit(payments, 70)
      await ports.clock.advance(10_000)
    }
    expect(await backlogOf(ports)).toBe(0)
    await stop()
  })

  it('blocks a stream whose event cannot be published for a defect, visibly', async () => {
    const world = worldOf(() => () => {
      throw new Error('a defect')
    })
    await world.emit(payments, 1)
    const stop = world.start()
    await world.ports.clock.advance(600_000)
    expect((await world.ports.outbox.stream(payments))._unsafeUnwrap()?.blocked?.reason).toContain('a defect')
    expect(world.ports.log.entries.some(({ message }) => message.includes('defect'))).toBe(true)
    await stop()
  })
})
