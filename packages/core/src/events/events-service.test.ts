import { errAsync, okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { cancelSource } from '../kernel/cancel.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import { type FakePorts, fakePorts } from '../testing/fake-ports.ts'
import type { ConsumerDefinition } from './apply-event.ts'
import type { Stream } from './event.ts'
import { type EventsService, eventsService } from './events-service.ts'
import { committed, effects, leavingEffects } from './testing/effects.ts'

const stream = 'payment-1' as Stream

function serviceOf(ports: FakePorts, ...consumers: readonly ConsumerDefinition[]): EventsService {
  const limits = { streams: 16, page: 16 }
  return eventsService({ ...ports, unitOfWork: unitOfWork(ports), owner: 'relay-1', leaseMs: async () => 10_000, limits, consumers })
}

async function during({ clock }: FakePorts, service: EventsService, ms: number): Promise<void> {
  const { signal, cancel } = cancelSource()
  const running = service.relay(signal)
  // Each step gives what is under way some turns.
  for (let step = 0; step < 100; step += 1) await clock.advance(ms / 100)
  cancel()
  await clock.advance(30_000)
  await running
}

function ledgerOf(ports: FakePorts): ConsumerDefinition {
  const effect = leavingEffects(ports.ids)
  return { name: 'ledger', topics: ['#'], apply: (tx, event) => (event.stream === stream ? effect(tx, event) : okAsync(undefined)) }
}

describe('eventsService', () => {
  it('L15: brings what is committed to the consumers, once and in order', async () => {
    const ports = fakePorts()
    const service = serviceOf(ports, ledgerOf(ports))
    await committed(ports, stream, 40)
    await during(ports, service, 5_000)
    expect((await effects(ports, stream)).map(({ sequence }) => sequence)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    expect((await service.backlog())._unsafeUnwrap()).toMatchObject({ events: 0, blockedStreams: 0 })
    // The effects are events as well.
    expect(service.consumerCounts()).toEqual(new Map([['ledger', { applied: 80, duplicates: 0, failures: 0, dead: 0 }]]))
    expect(service.relayCounts()).toMatchObject({ confirmed: 80, refused: 0 })
  })

  it('sets aside what a consumer cannot apply before the relay would block its stream, and replays it later', async () => {
    const ports = fakePorts()
    let isBroken = true
    const ledger = ledgerOf(ports)
    const apply: ConsumerDefinition['apply'] = (tx, event) =>
      isBroken && event.stream === stream && event.sequence === 1
        ? errAsync({ kind: 'event-not-applicable', reason: 'unheard of' })
        : ledger.apply(tx, event)
    const service = serviceOf(ports, { ...ledger, apply })
    await committed(ports, stream, 3)
    await during(ports, service, 600_000)
    expect((await effects(ports, stream)).map(({ sequence }) => sequence)).toEqual([2, 3])
    expect((await service.stream(stream))._unsafeUnwrap()).toMatchObject({ confirmed: 3, blocked: null })
    expect(service.relayCounts()).toMatchObject({ refused: 4, blocked: 0 })
    expect((await service.deadCount())._unsafeUnwrap()).toBe(1)
    isBroken = false
    const [letter] = (await service.deadLetters({ consumer: 'ledger', state: 'dead' }, null, 10))._unsafeUnwrap().items
    const caller = { client: 'cli:operator', requestId: 'request-1', traceparent: null }
    expect((await service.replayDeadLetter(letter?.id as never, caller)).isOk()).toBe(true)
    expect((await effects(ports, stream)).at(-1)).toEqual({ sequence: 1, replayed: true })
  })

  it('takes part as a consumer exactly as long as its relay runs', async () => {
    const ports = fakePorts()
    const steps: string[] = []
    const eventBroker: FakePorts['eventBroker'] = {
      ...ports.eventBroker,
      subscribe: ({ name }) => {
        steps.push(`subscribed ${name}`)
        return async () => void steps.push(`stopped ${name}`)
      },
      publish: () => {
        steps.push('published')
        return okAsync(undefined)
      },
    }
    const service = serviceOf({ ...ports, eventBroker }, ledgerOf(ports), { ...ledgerOf(ports), name: 'audit' })
    await committed(ports, stream, 1)
    expect(steps).toEqual([])
    await during(ports, service, 1_000)
    expect(steps).toEqual(['subscribed ledger', 'subscribed audit', 'published', 'stopped ledger', 'stopped audit'])
  })

  it('refuses two consumers of one name: they would skip what the other has applied', () => {
    const ports = fakePorts()
    expect(() => serviceOf(ports, ledgerOf(ports), ledgerOf(ports))).toThrow('two consumers "ledger"')
  })
})
