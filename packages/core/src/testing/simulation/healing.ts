import type { DeadLetter } from '../../events/index.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import { readSetting } from './clients.ts'
import { useEveryKey } from './key-holders.ts'
import { pool } from './pool.ts'
import { readTruth, sure } from './truth.ts'
import { passing, restartTheDead, type World } from './world.ts'

/** The longest that a healed world may take to come to rest: longer than any lease, back-off or stall. */
const healingMs = 900_000
const stepMs = 1000

/** Ends all faults and lets time pass until nothing is left to do, or far too much of it has passed. */
export async function heal(world: World): Promise<void> {
  const { clock } = world
  for (const instance of world.instances) instance.heal()
  await restartTheDead(world)
  await rest(world)
  // Reports of relays that were slow to learn of their loss still arrive.
  await clock.advance(15_000)
  await rest(world)
}

async function rest(world: World): Promise<void> {
  const { outbox } = world.truth.ports
  for (let step = 0; step < healingMs / stepMs && !(await isAtRest(world)); step += 1) {
    await world.clock.advance(stepMs)
    for (const { stream } of sure(await outbox.streams({ blocked: true }, null, 1000))) await outbox.unblock(stream)
    await settleDeadLetters(world)
    await skipWaiting(world)
  }
}

/**
 * While a setting cannot be read its shipped default counts, and of the shipped retries some are hours away: when nothing
 * else is left, time goes straight there.
 */
async function skipWaiting({ truth, clock, busyClients }: World): Promise<void> {
  const { pending, oldestDueAt } = sure(await truth.ports.webhookStore.backlog())
  if (pending === 0 || oldestDueAt === null || busyClients > 0 || oldestDueAt - clock.now() < healingMs / 2) return
  await clock.advance(oldestDueAt - clock.now())
}

/** What was set aside is applied after all, or given up. */
async function settleDeadLetters({ truth, instances, clock, seed }: World): Promise<void> {
  const dead = sure(await truth.ports.deadLetterStore.deadLetters({ consumer: null, state: 'dead' }, null, 8))
  const events = instances.find(({ life }) => !life.isOver())?.core.events
  if (events === undefined) return
  const random = fakeRandom(seed + clock.now())
  const caller = { client: 'operator', requestId: 'dead letters', traceparent: null }
  const settle = async (letter: DeadLetter): Promise<unknown> =>
    random.fraction() < 0.3
      ? await events.discardDeadLetter(letter.id, 'given up', caller)
      : await events.replayDeadLetter(letter.id, caller)
  for (const letter of dead) await passing(clock, settle(letter))
}

async function isAtRest(world: World): Promise<boolean> {
  const { truth, history, instances, busyClients, sender } = world
  if (busyClients > 0 || !sender.isIdle() || !world.isBrokerEmpty()) return false
  const { configStore, outbox, webhookStore, deadLetterStore } = truth.ports
  const head = sure(await configStore.head())
  if (history.watches.some(({ cursor }) => cursor.revision < head.revision)) return false
  if (instances.some(({ core }) => (core.config.followed()?.revision ?? 0) < head.revision)) return false
  if (sure(await outbox.backlog()).events > 0 || sure(await webhookStore.backlog()).pending > 0) return false
  return sure(await deadLetterStore.deadCount()) === 0 && (await arePaymentsSettled(world))
}

/** None is open, and no discrepancy is that has ended. */
async function arePaymentsSettled({ truth, remote }: World): Promise<boolean> {
  const { paymentStore } = truth.ports
  const { byStatus, openDiscrepancies } = sure(await paymentStore.totals())
  if ((byStatus.PROCESSING ?? 0) + (byStatus.UNKNOWN ?? 0) > 0) return false
  if (openDiscrepancies === 0) return true
  const held = remote.held()
  const all = { client: null, status: null, userId: null, from: null, to: null }
  const payments = sure(await paymentStore.payments(all, null, 1_000_000))
  const disputed = payments.filter(({ id, status }) => (status === 'COMPLETED') !== held.has(id))
  return openDiscrepancies <= disputed.length
}

/** L7: after everything has settled, every instance shows the same newest values. */
export async function readEverywhere(world: World): Promise<void> {
  if (world.plan.writers === 0) return
  const truth = await readTruth(world.truth.ports)
  for (const instance of world.instances) {
    for (const at of pool.addresses) {
      const expected = truth.resolvedAt(at, truth.head)
      await passing(world.clock, readSetting(world.clients, instance, at))
      const shown = await passing(world.clock, Promise.resolve(instance.core.config.get(at)))
      const value = shown.isOk() ? JSON.stringify(shown.value.value) : undefined
      if (value !== (expected === null ? undefined : JSON.stringify(expected.value))) {
        world.history.violations.push({ law: 'L7', detail: `${instance.name} did not converge at ${at.component}/${at.key}${at.scope}` })
      }
    }
  }
}

/** L18: a minute after the last revocation, no instance admits what was revoked, and each admits what was not. */
export async function useKeysEverywhere(world: World): Promise<void> {
  if (world.history.keys.length === 0) return
  await world.clock.advance(60_000)
  for (const instance of world.instances) await passing(world.clock, useEveryKey(world.clients, instance))
}
