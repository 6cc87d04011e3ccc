import { ResultAsync } from 'neverthrow'
import { type ReadTunable, tunables } from '../config/index.ts'
import type { CancelSignal } from '../kernel/cancel.ts'
import type { Uuid } from '../kernel/ids.ts'
import { fullJitterMs } from '../kernel/random.ts'
import type { Signals } from '../kernel/signals.ts'
import { survivingStore } from '../kernel/survive-defects.ts'
import { type Wake, wakeable } from '../kernel/wake.ts'
import { leaseLane } from './lane-units.ts'
import { type LaneLimits, leaseMsOf, type SendingPolicy, type ServeDependencies, serveLane } from './serve-lane.ts'

export type DispatcherLimits = LaneLimits &
  Readonly<{
    /** Lanes in hand at a time: so many endpoints may hang, each for one time-out, before others wait. */
    lanes: number
  }>

export type DispatcherDependencies = ServeDependencies & Readonly<{ signals: Signals; tunable: ReadTunable; limits: DispatcherLimits }>

const pollMs = 500
const sweepMs = 60_000
const sweepBatch = 1000

type Machine = Readonly<{ deps: DispatcherDependencies; cancel: CancelSignal; wake: Wake; sessions: Map<Uuid, Promise<void>> }>

/** Sends what is due, lane by lane, and removes expired ids, until cancelled; then ends what is in flight (L17). */
export function dispatcher(given: DispatcherDependencies): (cancel: CancelSignal) => Promise<void> {
  const deps: DispatcherDependencies = { ...given, store: survivingStore(given.log, given.store) }
  return async (cancel) => {
    const machine: Machine = { deps, cancel, wake: wakeable(deps.clock, cancel), sessions: new Map() }
    const stopListening = deps.signals.listen('deliveries', machine.wake.wake)
    const sweeping = sweep(machine)
    while (!cancel.aborted) {
      await surviving(machine, () => takeLanes(machine))
      await machine.wake.wait(pollMs)
    }
    stopListening()
    await Promise.all([...machine.sessions.values(), sweeping])
  }
}

/** Begins with the lanes that are due; each one that ends wakes the loop. */
async function takeLanes(machine: Machine): Promise<void> {
  const { deps, sessions } = machine
  const room = deps.limits.lanes - sessions.size
  if (room <= 0) return
  // Lanes in hand whose lease has run out are among those that are due.
  const due = (await deps.store.dueLanes(deps.clock.now(), room + sessions.size)).unwrapOr([])
  const free = due.filter(({ subscriptionId }) => !sessions.has(subscriptionId)).slice(0, room)
  if (free.length === 0) return
  const policy = await readPolicy(deps)
  for (const { subscriptionId } of free) {
    const serving = surviving(machine, () => takeLane(machine, subscriptionId, policy)).finally(() => {
      sessions.delete(subscriptionId)
      // Something may have become due while the lane was in hand, and others may be waiting for its place.
      machine.wake.wake()
    })
    sessions.set(subscriptionId, serving)
  }
}

async function takeLane({ deps, cancel }: Machine, subscriptionId: Uuid, policy: SendingPolicy): Promise<void> {
  const { unitOfWork, clock, random, tally } = deps
  const askedAt = clock.now()
  const taken = await unitOfWork.run((tx) => new ResultAsync(leaseLane(tx, subscriptionId, clock.now(), leaseMsOf(policy))))
  // Its place stays taken for a moment, so that a store that is away is not asked without end.
  if (taken.isErr()) return clock.sleep(fullJitterMs(random, 1, 500, 500) + 1, cancel)
  const { value: lane } = taken.value
  if (lane === null) return
  if (lane.kind === 'leased') return serveLane(deps, lane, askedAt, policy, () => cancel.aborted)
  tally.cancelled += lane.cancelled
}

/** Read before each round, so that a change is live. */
async function readPolicy({ tunable }: DispatcherDependencies): Promise<SendingPolicy> {
  const [scheduleSeconds, timeoutMs] = await Promise.all([
    tunable(tunables.webhookRetryScheduleSeconds),
    tunable(tunables.webhookTimeoutMs),
  ])
  return { scheduleSeconds, timeoutMs }
}

async function sweep({ deps, cancel }: Machine): Promise<void> {
  while (!cancel.aborted) {
    await deps.clock.sleep(sweepMs, cancel)
    if (cancel.aborted) return
    let dropped: number
    do dropped = (await deps.store.dropExpiredIds(deps.clock.now(), sweepBatch)).unwrapOr(0)
    while (dropped === sweepBatch && !cancel.aborted)
  }
}

/** A defect ends one turn, not the loop; the lease of a lane runs out by itself. */
async function surviving({ deps, cancel }: Machine, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (defect) {
    const reason = defect instanceof Error ? defect.message : String(defect)
    deps.log.write('error', 'the sending of webhooks met a defect', { reason })
    await deps.clock.sleep(1000, cancel)
  }
}
