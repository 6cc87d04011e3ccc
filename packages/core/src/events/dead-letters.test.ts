import fc from 'fast-check'
import { errAsync, okAsync, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { Caller } from '../kernel/caller.ts'
import type { Uuid } from '../kernel/ids.ts'
import { faultyTransactions, type TransactionFault } from '../kernel/testing/faulty-transactions.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import { type FakePorts, fakePorts } from '../testing/fake-ports.ts'
import type { ApplyEvent } from './apply-event.ts'
import { type DeadLetters, deadLetters } from './dead-letters.ts'
import type { Stream } from './event.ts'
import type { DeadLetter } from './ports/inbox.ts'
import { committed, effects, leavingEffects } from './testing/effects.ts'

const stream = 'payment-1' as Stream
const caller: Caller = { client: 'cli:operator', requestId: 'request-1', traceparent: null }

type World = Readonly<{ ports: FakePorts; service: DeadLetters; letters: readonly DeadLetter[] }>

function serviceOver(ports: FakePorts, apply: ApplyEvent = leavingEffects(ports.ids)): DeadLetters {
  return deadLetters({ ...ports, unitOfWork: unitOfWork(ports), consumers: [{ name: 'ledger', topics: ['#'], apply }] })
}

/** As many dead letters of one consumer, the first of the oldest event. */
async function worldOf(
  count: number,
  applyFrom: (effect: ApplyEvent) => ApplyEvent = (effect) => effect,
  consumer = 'ledger',
): Promise<World> {
  const ports = fakePorts()
  const events = await committed(ports, stream, count)
  const letters = events.map(({ replayed: _replayed, ...event }): DeadLetter => {
    const deadAt = ports.clock.now()
    return { id: ports.ids.next(), consumer, event, reason: 'unheard of', failures: 5, deadAt, state: 'dead', settled: null }
  })
  const inserted = await ports.transactions.attempt(ports.ids.next(), (tx) => {
    for (const letter of letters) tx.deadLetters.insert(letter)
    return okAsync(null)
  })
  inserted._unsafeUnwrap()
  return { ports, service: serviceOver(ports, applyFrom(leavingEffects(ports.ids))), letters }
}

function idOf({ letters }: World, index = 0): Uuid {
  return letters[index]?.id as Uuid
}

async function kindOf(result: ResultAsync<DeadLetter, Readonly<{ kind: string }>>): Promise<string> {
  return result.match(
    ({ state }) => state,
    ({ kind }) => kind,
  )
}

describe('dead letters', () => {
  it('are listed page by page, newest first, and counted', async () => {
    const { service, letters } = await worldOf(5)
    const filter = { consumer: 'ledger', state: 'dead' } as const
    const first = (await service.deadLetters(filter, null, 3))._unsafeUnwrap()
    const second = (await service.deadLetters(filter, first.next, 3))._unsafeUnwrap()
    expect([...first.items, ...second.items]).toEqual(letters.toReversed())
    expect([first.items.length, second.next]).toEqual([3, null])
    expect((await service.deadCount())._unsafeUnwrap()).toBe(5)
  })

  it('are shown, where there is one', async () => {
    const world = await worldOf(1)
    expect((await world.service.deadLetter(idOf(world)))._unsafeUnwrap()).toEqual(world.letters[0])
    const id = world.ports.ids.next()
    expect((await world.service.deadLetter(id))._unsafeUnwrapErr()).toEqual({ kind: 'dead-letter-not-found', id })
  })
})

describe('replay', () => {
  it('applies the event, marked, and ends the letter', async () => {
    const world = await worldOf(1)
    const settled = { at: world.ports.clock.now(), actor: 'cli:operator', reason: null }
    const replayed = (await world.service.replayDeadLetter(idOf(world), caller))._unsafeUnwrap()
    expect(replayed).toEqual({ ...world.letters[0], state: 'replayed', settled })
    expect((await world.service.deadLetter(replayed.id))._unsafeUnwrap()).toEqual(replayed)
    expect(await effects(world.ports, stream)).toEqual([{ sequence: 1, replayed: true }])
  })

  it('answers what stands in its way', async () => {
    const world = await worldOf(2)
    await world.service.replayDeadLetter(idOf(world), caller)
    await world.service.discardDeadLetter(idOf(world, 1), 'obsolete', caller)
    const stranger = await worldOf(1, undefined, 'stranger')
    const kinds = [
      await kindOf(world.service.replayDeadLetter(world.ports.ids.next(), caller)),
      await kindOf(world.service.replayDeadLetter(idOf(world), caller)),
      await kindOf(world.service.replayDeadLetter(idOf(world, 1), caller)),
      await kindOf(stranger.service.replayDeadLetter(idOf(stranger), caller)),
    ]
    expect(kinds).toEqual(['dead-letter-not-found', 'dead-letter-settled', 'dead-letter-settled', 'unknown-consumer'])
  })

  it.each<readonly [string, ApplyEvent]>([
    ['refuses it', () => errAsync({ kind: 'event-not-applicable', reason: 'still unheard of' })],
    [
      'throws',
      () => {
        throw new Error('still unheard of')
      },
    ],
  ])('leaves the letter dead with the newest reason when its consumer %s', async (_case, apply) => {
    const world = await worldOf(1, () => apply)
    expect(await kindOf(world.service.replayDeadLetter(idOf(world), caller))).toBe('event-not-applicable')
    const reason = expect.stringContaining('still unheard of')
    expect((await world.service.deadLetter(idOf(world)))._unsafeUnwrap()).toMatchObject({
      state: 'dead',
      failures: 6,
      reason,
      settled: null,
    })
  })

  it('changes nothing when the store goes away', async () => {
    const world = await worldOf(1, () => () => errAsync({ kind: 'store-unavailable', reason: 'away' }))
    expect(await kindOf(world.service.replayDeadLetter(idOf(world), caller))).toBe('store-unavailable')
    expect((await world.service.deadLetter(idOf(world)))._unsafeUnwrap()).toEqual(world.letters[0])
  })

  it('is had at most ten times in any second', async () => {
    const world = await worldOf(25)
    const { service, ports } = world
    const kinds = async (from: number, to: number): Promise<readonly string[]> =>
      Promise.all(world.letters.slice(from, to).map(({ id }) => kindOf(service.replayDeadLetter(id, caller))))
    expect(new Set(await kinds(0, 10))).toEqual(new Set(['replayed']))
    await ports.clock.advance(400)
    expect((await service.replayDeadLetter(idOf(world, 10), caller))._unsafeUnwrapErr()).toEqual({
      kind: 'too-many-replays',
      retryAfterMs: 600,
    })
    await ports.clock.advance(599)
    expect(await kinds(10, 11)).toEqual(['too-many-replays'])
    await ports.clock.advance(1)
    expect(await kinds(10, 22)).toEqual([...Array<string>(10).fill('replayed'), 'too-many-replays', 'too-many-replays'])
    await ports.clock.advance(-3_600_000)
    expect(await kinds(22, 23)).toEqual(['replayed'])
  })

  it('counts against the cap only what reaches a consumer', async () => {
    const world = await worldOf(10)
    for (let count = 0; count < 50; count += 1) await world.service.replayDeadLetter(world.ports.ids.next(), caller)
    const kinds = await Promise.all(world.letters.map(({ id }) => kindOf(world.service.replayDeadLetter(id, caller))))
    expect(new Set(kinds)).toEqual(new Set(['replayed']))
  })

  itHolds(
    'L15: of racing replays and discards at most one takes effect, whatever the store does',
    200,
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom('replay', 'discard'), { minLength: 2, maxLength: 6 }),
      fc.array(fc.option(fc.constantFrom<TransactionFault>('contended', 'lost-before', 'lost-after', 'lost-late')), { maxLength: 12 }),
      async (scheduler, acts, script) => {
        const world = await worldOf(1)
        const pause = (): Promise<void> => scheduler.schedule(Promise.resolve())
        const remaining = [...script]
        const faults = {
          delay: pause,
          draw: <Fault extends TransactionFault>(candidates: readonly Fault[]): Fault | null => {
            const next = remaining.shift()
            return candidates.find((candidate) => candidate === next) ?? null
          },
        }
        const inner = world.ports.transactions
        const yielding: typeof inner = {
          settle: inner.settle,
          attempt: (unit, work) =>
            inner.attempt(unit, (tx) => work(tx).andThen((value) => ResultAsync.fromSafePromise(pause().then(() => value)))),
        }
        const clock = { ...world.ports.clock, sleep: pause }
        const service = serviceOver({ ...world.ports, clock, transactions: faultyTransactions(yielding, faults) })
        const kinds = await scheduler.waitFor(
          Promise.all(
            acts.map((act) =>
              kindOf(
                act === 'replay'
                  ? service.replayDeadLetter(idOf(world), caller)
                  : service.discardDeadLetter(idOf(world), 'obsolete', caller),
              ),
            ),
          ),
        )
        const { state } = (await world.service.deadLetter(idOf(world)))._unsafeUnwrap()
        expect(kinds.filter((kind) => kind === 'replayed' || kind === 'discarded')).toEqual([state])
        expect(new Set(kinds.filter((kind) => kind !== state))).toEqual(new Set(kinds.length > 1 ? ['dead-letter-settled'] : []))
        expect(await effects(world.ports, stream)).toHaveLength(state === 'replayed' ? 1 : 0)
      },
    ),
  )
})

describe('discard', () => {
  it('ends the letter without applying the event, and keeps who and why', async () => {
    const world = await worldOf(2)
    const settled = { at: world.ports.clock.now(), actor: 'cli:operator', reason: 'obsolete' }
    const discarded = (await world.service.discardDeadLetter(idOf(world), 'obsolete', caller))._unsafeUnwrap()
    expect(discarded).toEqual({ ...world.letters[0], state: 'discarded', settled })
    expect((await world.service.deadLetter(discarded.id))._unsafeUnwrap()).toEqual(discarded)
    expect(await effects(world.ports, stream)).toEqual([])
    expect((await world.service.deadCount())._unsafeUnwrap()).toBe(1)
  })

  it('ends each letter once', async () => {
    const world = await worldOf(1)
    const discard = (id: Uuid): Promise<string> => kindOf(world.service.discardDeadLetter(id, 'obsolete', caller))
    expect([await discard(idOf(world)), await discard(idOf(world)), await discard(world.ports.ids.next())]).toEqual([
      'discarded',
      'dead-letter-settled',
      'dead-letter-not-found',
    ])
  })
})
