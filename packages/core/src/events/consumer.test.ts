import { errAsync, okAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import { type FakePorts, fakePorts } from '../testing/fake-ports.ts'
import type { ApplyEvent } from './apply-event.ts'
import { type Consumer, consumer } from './consumer.ts'
import type { Stream } from './event.ts'
import type { Delivery, EventRefused } from './ports/event-broker.ts'
import type { DeadLetter, InboxPosition } from './ports/inbox.ts'
import { committed, effects, leavingEffects } from './testing/effects.ts'

const stream = 'payment-1' as Stream
const other = 'payment-2' as Stream

type World = Readonly<{ ports: FakePorts; own: Consumer; take: (delivery: Delivery | undefined) => Promise<string> }>

function worldOf(applyFrom: (effect: ApplyEvent) => ApplyEvent = (effect) => effect, ports: FakePorts = fakePorts()): World {
  const apply = applyFrom(leavingEffects(ports.ids))
  const own = consumer({ ...ports, unitOfWork: unitOfWork(ports) }, { name: 'ledger', topics: ['#'], apply })
  return { ports, own, take: (delivery) => take(ports, own, delivery) }
}

/** Lets time pass until the consumer has answered. */
async function take(ports: FakePorts, own: Consumer, delivery: Delivery | undefined): Promise<string> {
  if (delivery === undefined) throw new Error('there is no such event')
  return answered(ports, own.handle(delivery))
}

async function answered({ clock }: FakePorts, handled: ResultAsync<void, EventRefused>): Promise<string> {
  let answer: string | null = null
  void handled.match(
    () => {
      answer = 'accepted'
    },
    ({ reason }) => {
      answer = reason
    },
  )
  for (let turn = 0; turn < 1000; turn += 1) {
    await clock.advance(0)
    if (answer !== null) return answer
    await clock.advanceToNext()
  }
  throw new Error('the consumer never answered')
}

async function sequencesOf(ports: FakePorts, of: Stream = stream): Promise<readonly number[]> {
  return (await effects(ports, of)).map(({ sequence }) => sequence)
}

async function positionOf({ transactions, ids }: FakePorts): Promise<InboxPosition | null> {
  return (await transactions.attempt(ids.next(), (tx) => tx.inbox.find({ consumer: 'ledger', stream })))._unsafeUnwrap().value
}

async function lettersOf({ deadLetterStore }: FakePorts): Promise<readonly DeadLetter[]> {
  return (await deadLetterStore.deadLetters({ consumer: null, state: null }, null, 100))._unsafeUnwrap()
}

/** Refuses the given events of any stream for good. */
function failingFor(...sequences: readonly number[]): (effect: ApplyEvent) => ApplyEvent {
  return (effect) => (tx, delivery) =>
    sequences.includes(delivery.sequence) ? errAsync({ kind: 'event-not-applicable', reason: 'unheard of' }) : effect(tx, delivery)
}

describe('consumer', () => {
  it('L15: applies an event once, however often it comes', async () => {
    const { ports, own, take } = worldOf()
    const [first] = await committed(ports, stream, 1)
    expect([await take(first), await take(first), await take(first)]).toEqual(['accepted', 'accepted', 'accepted'])
    expect(await sequencesOf(ports)).toEqual([1])
    expect(own.counts()).toEqual({ applied: 1, duplicates: 2, failures: 0, dead: 0 })
  })

  it('L15: applies a marked delivery of an applied event no second time', async () => {
    const { ports, take } = worldOf()
    const [first] = await committed(ports, stream, 1)
    await take(first)
    await take({ ...(first as Delivery), replayed: true })
    expect(await effects(ports, stream)).toEqual([{ sequence: 1, replayed: false }])
  })

  it('L15: reads what did not arrive from the outbox, and applies it first', async () => {
    const { ports, take } = worldOf()
    const events = await committed(ports, stream, 200)
    expect(await take(events[149])).toBe('accepted')
    expect(await sequencesOf(ports)).toEqual(Array.from({ length: 150 }, (_, index) => index + 1))
    expect(await take(events[2])).toBe('accepted')
    expect(await sequencesOf(ports)).toHaveLength(150)
  })

  it('L15: does not take an event for done that came early and met a defect of the store', async () => {
    const ports = fakePorts()
    let defects = 1
    const attempt: FakePorts['transactions']['attempt'] = (unit, work) => {
      defects -= 1
      if (defects >= 0) throw new Error('a defect')
      return ports.transactions.attempt(unit, work)
    }
    const { take } = worldOf(undefined, { ...ports, transactions: { ...ports.transactions, attempt } })
    const [, second] = await committed(ports, stream, 2)
    expect(await take(second)).toBe('accepted')
    expect(await sequencesOf(ports)).toEqual([1, 2])
  })

  it('follows each stream by itself, and so does each consumer', async () => {
    const { ports, take: takeOwn } = worldOf()
    const namesake = consumer(
      { ...ports, unitOfWork: unitOfWork(ports) },
      { name: 'audit', topics: ['#'], apply: leavingEffects(ports.ids) },
    )
    const [first] = await committed(ports, stream, 1)
    const [elsewhere] = await committed(ports, other, 1)
    await takeOwn(first)
    await takeOwn(elsewhere)
    await take(ports, namesake, first)
    expect([await sequencesOf(ports), await sequencesOf(ports, other)]).toEqual([[1, 1], [1]])
  })

  it('refuses an event whose predecessors are nowhere, and applies nothing', async () => {
    const { ports, take } = worldOf()
    const [first] = await committed(ports, stream, 1)
    expect(await take({ ...(first as Delivery), sequence: 3 })).toContain('the outbox does not hold')
    expect(await sequencesOf(ports)).toEqual([1])
  })

  it('charges no event with a store that is away', async () => {
    let isAway = true
    const base = fakePorts()
    const transactions: FakePorts['transactions'] = {
      ...base.transactions,
      attempt: (unit, work) => (isAway ? errAsync({ kind: 'store-unavailable', reason: 'away' }) : base.transactions.attempt(unit, work)),
    }
    const { ports, own, take } = worldOf(undefined, { ...base, transactions })
    const [first] = await committed(base, stream, 1)
    for (let attempt = 0; attempt < 20; attempt += 1) expect(await take(first)).toBe('away')
    isAway = false
    expect(await positionOf(ports)).toBeNull()
    expect(await take(first)).toBe('accepted')
    expect(own.counts()).toEqual({ applied: 1, duplicates: 0, failures: 0, dead: 0 })
  })

  it('refuses, and goes on later, when the outbox cannot be read or throws', async () => {
    const base = fakePorts()
    let pending: FakePorts['outbox']['pending'] = () => errAsync({ kind: 'store-unavailable', reason: 'away' })
    const { ports, take } = worldOf(undefined, { ...base, outbox: { ...base.outbox, pending: (...args) => pending(...args) } })
    const events = await committed(base, stream, 3)
    expect(await take(events[2])).toBe('away')
    pending = () => {
      throw new Error('closed')
    }
    expect(await take(events[2])).toContain('closed')
    pending = base.outbox.pending
    expect(await take(events[2])).toBe('accepted')
    expect(await sequencesOf(ports)).toEqual([1, 2, 3])
  })

  it('goes on with a long repair at the next delivery rather than keep the broker waiting', async () => {
    const base = fakePorts()
    let workedMs = 0
    const clock: FakePorts['clock'] = { ...base.clock, now: () => base.clock.now() + workedMs }
    const slowly = (effect: ApplyEvent): ApplyEvent => {
      return (tx, delivery) => {
        workedMs += 100
        return effect(tx, delivery)
      }
    }
    const { ports, take } = worldOf(slowly, { ...base, clock })
    const events = await committed(ports, stream, 80)
    expect(await take(events[79])).toContain('behind')
    expect((await sequencesOf(ports)).length).toBeGreaterThan(10)
    expect(await take(events[79])).toBe('accepted')
    expect(await sequencesOf(ports)).toHaveLength(80)
  })
})

describe('an event that cannot be applied', () => {
  it('is set aside at its fifth failure, and its stream goes on', async () => {
    const { ports, own, take } = worldOf(failingFor(2))
    const events = await committed(ports, stream, 3)
    await take(events[0])
    const answers: string[] = []
    for (let attempt = 0; attempt < 5; attempt += 1) answers.push(await take(events[1]))
    expect(answers).toEqual(['unheard of', 'unheard of', 'unheard of', 'unheard of', 'accepted'])
    expect(await take(events[2])).toBe('accepted')
    expect(await sequencesOf(ports)).toEqual([1, 3])
    const { replayed: _replayed, ...event } = events[1] as Delivery
    expect(await lettersOf(ports)).toMatchObject([
      { consumer: 'ledger', event, reason: 'unheard of', failures: 5, deadAt: ports.clock.now(), state: 'dead', settled: null },
    ])
    expect(own.counts()).toEqual({ applied: 2, duplicates: 0, failures: 5, dead: 1 })
  })

  it('keeps its failures counted across instances, and leaves nothing of what its tries recorded', async () => {
    const recordsThenFails = (effect: ApplyEvent): ApplyEvent => {
      return (tx, delivery) => effect(tx, delivery).andThen(() => errAsync({ kind: 'event-not-applicable' as const, reason: 'half' }))
    }
    const { ports, take } = worldOf(recordsThenFails)
    const restarted = worldOf(recordsThenFails, ports)
    const [first] = await committed(ports, stream, 1)
    for (let attempt = 0; attempt < 3; attempt += 1) await take(first)
    expect(await positionOf(ports)).toMatchObject({ sequence: 0, failures: 3 })
    expect([await restarted.take(first), await restarted.take(first)]).toEqual(['half', 'accepted'])
    expect(await positionOf(ports)).toMatchObject({ sequence: 1, failures: 0 })
    expect(await sequencesOf(ports)).toEqual([])
  })

  it('starts from no failures with the next event', async () => {
    let failures = 3
    const { ports, take } = worldOf((effect) => (tx, delivery) => {
      failures -= 1
      return failures >= 0 ? errAsync({ kind: 'event-not-applicable', reason: 'not yet' }) : effect(tx, delivery)
    })
    const [first] = await committed(ports, stream, 1)
    for (let attempt = 0; attempt < 4; attempt += 1) await take(first)
    expect(await positionOf(ports)).toMatchObject({ sequence: 1, failures: 0 })
    expect(await lettersOf(ports)).toEqual([])
  })

  it.each<readonly [string, ApplyEvent]>([
    [
      'throws',
      () => {
        throw new Error('no such table')
      },
    ],
    ['rejects', () => new ResultAsync(Promise.reject(new Error('no such table')))],
    [
      'records what the store does not take',
      (tx) => {
        tx.inbox.update({ consumer: 'nobody', stream, sequence: 1, failures: 0 })
        return okAsync(undefined)
      },
    ],
  ])('is set aside as well when its consumer %s', async (_case, apply) => {
    const { ports, take } = worldOf(() => apply)
    const [first] = await committed(ports, stream, 1)
    for (let attempt = 0; attempt < 4; attempt += 1) expect(await take(first)).toContain('a defect')
    expect(await take(first)).toBe('accepted')
    expect(await lettersOf(ports)).toMatchObject([{ reason: expect.stringContaining('a defect') }])
  })

  it('L15: is tried again at once where it is missing before another, so that bad events in one gap block nothing', async () => {
    const { ports, take } = worldOf(failingFor(2, 3, 5))
    const events = await committed(ports, stream, 6)
    let deliveries = 1
    while ((await take(events[5])) !== 'accepted') deliveries += 1
    expect(deliveries).toBeLessThan(3)
    expect(await sequencesOf(ports)).toEqual([1, 4, 6])
    expect((await lettersOf(ports)).map(({ event }) => event.sequence)).toEqual([5, 3, 2])
  })

  it('is told in the log by its ids alone', async () => {
    const { ports, take } = worldOf(failingFor(1))
    const [first] = await committed(ports, stream, 1)
    for (let attempt = 0; attempt < 5; attempt += 1) await take(first)
    const errors = ports.log.entries.filter(({ level }) => level === 'error')
    const [letter] = await lettersOf(ports)
    expect(errors.map(({ fields }) => fields)).toEqual([
      { consumer: 'ledger', stream, sequence: 1, event: first?.id, failures: 5, deadLetter: letter?.id },
    ])
  })

  it('keeps a reason that any store can hold', async () => {
    const reason = `\0${'x'.repeat(998)}😀`
    const { ports, take } = worldOf(() => () => errAsync({ kind: 'event-not-applicable', reason }))
    const [first] = await committed(ports, stream, 1)
    for (let attempt = 0; attempt < 5; attempt += 1) await take(first)
    expect((await lettersOf(ports))[0]?.reason).toBe(`\uFFFD${'x'.repeat(998)}\uFFFD`)
  })
})

describe('an event that the broker gives up on', () => {
  const giveUp = ({ ports, own }: World, delivery: Delivery | undefined): Promise<string> =>
    answered(ports, own.setAside(delivery as Delivery, 'delivered 20 times'))

  it('is set aside without another try, and its stream goes on', async () => {
    const world = worldOf()
    const events = await committed(world.ports, stream, 3)
    await world.take(events[0])
    expect(await giveUp(world, events[1])).toBe('accepted')
    expect(await world.take(events[2])).toBe('accepted')
    expect(await sequencesOf(world.ports)).toEqual([1, 3])
    const { replayed: _replayed, ...event } = events[1] as Delivery
    expect(await lettersOf(world.ports)).toMatchObject([
      { consumer: 'ledger', event, reason: 'delivered 20 times', failures: 1, state: 'dead' },
    ])
    expect(world.own.counts()).toMatchObject({ applied: 2, dead: 1 })
  })

  it('L15: leaves no dead letter when it was applied or set aside before', async () => {
    const world = worldOf()
    const events = await committed(world.ports, stream, 2)
    await world.take(events[0])
    expect(await giveUp(world, events[0])).toBe('accepted')
    expect(await lettersOf(world.ports)).toEqual([])
    await giveUp(world, events[1])
    expect(await giveUp(world, events[1])).toBe('accepted')
    expect(await lettersOf(world.ports)).toHaveLength(1)
  })

  it('L15: is set aside after what is missing before it was applied', async () => {
    const world = worldOf()
    const events = await committed(world.ports, stream, 3)
    expect(await giveUp(world, events[2])).toBe('accepted')
    expect(await sequencesOf(world.ports)).toEqual([1, 2])
    expect((await lettersOf(world.ports)).map(({ event }) => event.sequence)).toEqual([3])
  })

  it('stays with the broker while the store is away', async () => {
    const base = fakePorts()
    const attempt: FakePorts['transactions']['attempt'] = () => errAsync({ kind: 'store-unavailable', reason: 'away' })
    const world = worldOf(undefined, { ...base, transactions: { ...base.transactions, attempt } })
    const [first] = await committed(base, stream, 1)
    expect(await giveUp(world, first)).toBe('away')
    expect(await lettersOf(base)).toEqual([])
  })
})
