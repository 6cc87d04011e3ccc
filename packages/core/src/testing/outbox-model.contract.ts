import fc from 'fast-check'
import { expect } from 'vitest'
import type { LeasedStream, RelayReport, Stream } from '../events/index.ts'
import { fewStreams } from '../events/testing/arbitraries.ts'
import {
  modelAppend,
  modelBacklog,
  modelFree,
  modelLease,
  modelRecord,
  modelRenew,
  modelState,
  modelStream,
  modelUnblock,
  type OutboxModel,
} from '../events/testing/outbox.model.ts'
import type { IdSource } from '../kernel/ids.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { over } from '../kernel/testing/harness.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { emit, expectOk, type OpenStore, type StoreHarness } from './store-units.ts'

/** One step of a generated history. `pick` chooses among the leases ever granted, the newest first. */
type Step =
  | Readonly<{ kind: 'emit'; streams: readonly Stream[] }>
  | Readonly<{ kind: 'advance'; ms: number }>
  | Readonly<{ kind: 'lease'; limit: number; leaseMs: number; eventLimit: number }>
  | Readonly<{ kind: 'renew'; picks: readonly number[]; leaseMs: number }>
  | Readonly<{
      kind: 'record'
      reports: readonly Readonly<{ pick: number; report: RelayReport['kind']; count: number; skew: number; waitMs: number }>[]
    }>
  | Readonly<{ kind: 'unblock'; stream: Stream }>

type World = { model: OutboxModel; readonly granted: LeasedStream[] }

const anyPick = fc.nat(3)
const anyMs = fc.constantFrom(1, 999, 1000, 5000)

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('emit' as const), streams: fc.array(fc.constantFrom(...fewStreams), { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constant('advance' as const), ms: anyMs }),
  fc.record({
    kind: fc.constant('lease' as const),
    limit: fc.integer({ min: 1, max: 4 }),
    leaseMs: fc.constantFrom(1000, 5000),
    eventLimit: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    kind: fc.constant('renew' as const),
    picks: fc.uniqueArray(anyPick, { minLength: 1 }),
    leaseMs: fc.constantFrom(1000, 5000),
  }),
  fc.record({
    kind: fc.constant('record' as const),
    reports: fc.array(
      fc.record({
        pick: anyPick,
        report: fc.constantFrom<RelayReport['kind']>('confirmed', 'confirmed', 'refused', 'blocked', 'released'),
        count: fc.nat(3),
        skew: fc.constantFrom(0, 0, 0, 0, -1, 1),
        waitMs: anyMs,
      }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
  fc.record({ kind: fc.constant('unblock' as const), stream: fc.constantFrom(...fewStreams) }),
)

/** Any history of relays and writers, step by step beside a naive model. */
export function outboxModelContract(open: OpenStore, numRuns: number): void {
  itHolds(
    'L11, L12, L14: agrees with a naive model after every step',
    numRuns,
    fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 25, size: 'max' }), (steps) =>
      over(open, async (store) => {
        const ids = fakeIds()
        const world: World = { model: [], granted: [] }
        for (const step of steps) {
          await take(store, ids, world, step)
          await compare(store, world.model)
        }
      })(),
    ),
  )
}

async function take(store: StoreHarness, ids: IdSource, world: World, step: Step): Promise<void> {
  switch (step.kind) {
    case 'emit':
      for (const event of await emit(store, ids, ...step.streams)) world.model = modelAppend(world.model, event)
      return
    case 'advance':
      return await store.clock.advance(step.ms)
    case 'lease':
      return await takeLeases(store, world, step)
    case 'renew':
      return await takeRenewals(store, world, step)
    case 'record':
      return await takeReports(store, world, step)
    case 'unblock':
      return await takeUnblock(store, world, step.stream)
  }
}

/** Which of the free streams come first is the port's own choice. */
async function takeLeases({ outbox, clock }: StoreHarness, world: World, step: Step & { kind: 'lease' }): Promise<void> {
  const { limit, leaseMs, eventLimit } = step
  const free = modelFree(world.model, clock.now())
  const leased = await expectOk(outbox.lease({ owner: 'relay', limit, leaseMs, eventLimit }))
  expect(new Set(leased.map(({ stream }) => stream)).size).toBe(Math.min(limit, free.length))
  for (const lease of leased) {
    const row = free.find(({ stream }) => stream === lease.stream)
    expect(lease.fence).toBeGreaterThan(row?.fence ?? Number.MAX_VALUE)
    expect(lease.refusals).toBe(row?.refusals)
    expect(lease.events).toEqual(row?.events.slice(row.confirmed, row.confirmed + eventLimit))
    world.model = modelLease(world.model, lease, clock.now() + leaseMs)
    world.granted.unshift(lease)
  }
}

async function takeRenewals({ outbox, clock }: StoreHarness, world: World, step: Step & { kind: 'renew' }): Promise<void> {
  const leases = step.picks.flatMap((pick) => world.granted[pick] ?? []).map(({ stream, fence }) => ({ stream, fence }))
  const kept: typeof leases = []
  for (const lease of leases) {
    const renewed = modelRenew(world.model, lease, clock.now(), step.leaseMs)
    if (renewed === null) continue
    world.model = renewed
    kept.push(lease)
  }
  const held = await expectOk(outbox.renew(leases, step.leaseMs))
  expect(held.map(nameOf).toSorted()).toEqual(kept.map(nameOf).toSorted())
}

function nameOf({ stream, fence }: Readonly<{ stream: Stream; fence: number }>): string {
  return `${stream} ${fence}`
}

async function takeReports({ outbox, clock }: StoreHarness, world: World, step: Step & { kind: 'record' }): Promise<void> {
  const now = clock.now()
  const reports: RelayReport[] = []
  const refusedByFence: RelayReport[] = []
  for (const { pick, report: kind, count, skew, waitMs } of step.reports) {
    const lease = world.granted[pick]
    if (lease === undefined) continue
    const confirmed = modelStream(world.model, lease.stream)?.confirmed ?? 0
    const own = { stream: lease.stream, fence: lease.fence }
    const report = reportOf(kind, own, { through: confirmed + count, sequence: confirmed + 1 + skew, retryAt: now + waitMs })
    const after = modelRecord(world.model, report, now)
    if (after === null) refusedByFence.push(report)
    else world.model = after
    reports.push(report)
  }
  expect(await expectOk(outbox.record(reports))).toEqual(refusedByFence)
}

function reportOf(
  kind: RelayReport['kind'],
  own: Readonly<{ stream: Stream; fence: number }>,
  { through, sequence, retryAt }: Readonly<{ through: number; sequence: number; retryAt: number }>,
): RelayReport {
  switch (kind) {
    case 'confirmed':
      return { ...own, kind, through }
    case 'refused':
      return { ...own, kind, sequence, reason: 'no room', retryAt }
    case 'blocked':
      return { ...own, kind, sequence, reason: 'malformed' }
    case 'released':
      return { ...own, kind }
  }
}

async function takeUnblock({ outbox }: StoreHarness, world: World, stream: Stream): Promise<void> {
  const row = modelStream(world.model, stream)
  // What it does to the refusals of a stream that is not blocked is left open.
  if (row !== null && row.blocked === null) return
  world.model = modelUnblock(world.model, stream)
  const after = modelStream(world.model, stream)
  expect(await expectOk(outbox.unblock(stream))).toEqual(after === null ? null : modelState(after))
}

async function compare({ outbox }: StoreHarness, model: OutboxModel): Promise<void> {
  expect(await expectOk(outbox.backlog())).toEqual(modelBacklog(model))
  const states = await expectOk(outbox.streams({ blocked: null }, null, 100))
  // Whether the refusal that blocked a stream is counted as well is left open.
  const comparable = states.map((state) => (state.blocked === null ? state : { ...state, refusals: 0 }))
  expect(comparable).toEqual(model.map(modelState).map((state) => (state.blocked === null ? state : { ...state, refusals: 0 })))
  for (const { stream, events, confirmed } of model) {
    expect(await expectOk(outbox.pending([{ stream, after: confirmed }], 100))).toEqual(events.slice(confirmed))
  }
}
