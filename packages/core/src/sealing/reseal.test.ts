import { errAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { type Core, createCore } from '../create-core.ts'
import { cancelSource, neverCancelled } from '../kernel/cancel.ts'
import { storeUnavailable } from '../kernel/failures.ts'
import type { KeyRing } from '../kernel/key-ring.ts'
import { fakeKeyRing } from '../kernel/testing/fake-key-ring.ts'
import { type FakePorts, fakePorts } from '../testing/fake-ports.ts'
import { expectOk } from '../testing/store-units.ts'
import { caller, details, ownReach, viewer } from '../webhooks/testing/webhooks-under-test.ts'

type World = Readonly<{ ports: FakePorts; core: Core }>

/** Two data keys and three subscriptions, one of them disabled and one with two secrets. */
async function world(): Promise<World> {
  const ports = fakePorts({ keyRing: fakeKeyRing(['old']) })
  const core = createCore(ports)
  const made = []
  for (let count = 0; count < 3; count += 1) made.push(await expectOk(core.webhooks.subscribe({ details, reach: ownReach, caller })))
  const [first, second] = made
  if (first === undefined || second === undefined) throw new Error('three were made')
  await expectOk(core.webhooks.rotateSecret({ id: first.subscription.id, viewer, caller }))
  const amendment = { amendment: { active: false }, reach: ownReach, version: null }
  await expectOk(core.webhooks.amend({ id: second.subscription.id, viewer, caller, ...amendment }))
  return { ports, core }
}

function rotated({ ports }: World, keyRing: KeyRing = fakeKeyRing(['new', 'old'])): World {
  const after = { ...ports, keyRing }
  return { ports: after, core: createCore(after) }
}

async function keysInUse({ core }: World): Promise<readonly string[]> {
  const used: string[] = []
  await expectOk(core.sealing.survey(({ sealed }, kind) => used.push(`${kind} ${sealed.split('.')[0]}`)))
  return used.sort()
}

const command = { caller, ring: {}, cancel: neverCancelled, onProgress: (): void => {} }
const allIn = (key: string): readonly string[] => [`data-key ${key}`, ...Array.from({ length: 4 }, () => `webhook-secret ${key}`)]

describe('sealing again', () => {
  it('reaches every secret, those of disabled subscriptions and those about to end included, and changes nothing else', async () => {
    const before = await world()
    const after = rotated(before)
    expect(await keysInUse(after)).toEqual(allIn('old'))
    const subscriptions = await expectOk(before.ports.webhookStore.subscriptions(null, null, 10))
    expect(await expectOk(after.core.sealing.reseal(command))).toEqual({ rows: 4, resealed: 5, unopened: [], stopped: false })
    expect(await keysInUse(after)).toEqual(allIn('new'))
    const later = await expectOk(after.ports.webhookStore.subscriptions(null, null, 10))
    const withoutSecrets = (each: (typeof later)[0]): unknown => ({
      ...each,
      secrets: each.secrets.map(({ id, expiresAt }) => [id, expiresAt]),
    })
    expect(later.map(withoutSecrets)).toEqual(subscriptions.map(withoutSecrets))
  })

  it('leaves what a ring of the new key alone opens', async () => {
    const after = rotated(await world())
    await expectOk(after.core.sealing.reseal(command))
    const alone = rotated(after, fakeKeyRing(['new']))
    expect(await expectOk(alone.core.audit.verify(null))).toMatchObject({ faults: [] })
    expect(await expectOk(alone.core.sealing.reseal(command))).toMatchObject({ resealed: 0, unopened: [] })
  })

  it('can be stopped, and goes on where it was', async () => {
    const after = rotated(await world())
    const { signal, cancel } = cancelSource()
    const stopped = await expectOk(after.core.sealing.reseal({ ...command, cancel: signal, onProgress: (rows) => rows === 2 && cancel() }))
    expect(stopped).toMatchObject({ rows: 2, stopped: true })
    const rest = await expectOk(after.core.sealing.reseal(command))
    expect([stopped.resealed + rest.resealed, await keysInUse(after)]).toEqual([5, allIn('new')])
  })

  it('is recorded once it has changed something', async () => {
    const after = rotated(await world())
    await expectOk(after.core.sealing.reseal(command))
    await expectOk(after.core.sealing.reseal(command))
    const filter = { action: 'key-ring.resealed', actor: null, subject: null, from: null, to: null } as const
    const { items } = await expectOk(after.core.audit.records(filter, null, 10))
    expect(items.map((each) => [each.actor, each.details])).toEqual([
      [caller.client, { rows: 4, resealed: 5, unopened: 0, stopped: false }],
    ])
  })

  it('is recorded with what was done to the ring, also when nothing had to be sealed', async () => {
    const { core } = await world()
    await expectOk(core.sealing.reseal({ ...command, ring: { removed: ['old'] } }))
    const filter = { action: 'key-ring.resealed', actor: null, subject: null, from: null, to: null } as const
    const { items } = await expectOk(core.audit.records(filter, null, 10))
    expect(items[0]?.details).toMatchObject({ removed: ['old'], resealed: 0 })
  })

  it('names what does not open, and leaves it', async () => {
    const after = rotated(await world(), fakeKeyRing(['new']))
    const report = await expectOk(after.core.sealing.reseal(command))
    expect([report.resealed, report.unopened.length]).toEqual([0, 5])
    expect(report.unopened[0]).toEqual({ kind: 'data-key', id: 'data-key:audit-chain:1', reason: 'its key is not on the ring' })
    expect(await keysInUse(after)).toEqual(allIn('old'))
  })

  it('fails with the store', async () => {
    const { ports } = await world()
    const away = { ...ports, webhookStore: { ...ports.webhookStore, subscriptions: () => errAsync(storeUnavailable('away')) } }
    expect((await createCore(away).sealing.reseal(command))._unsafeUnwrapErr().kind).toBe('store-unavailable')
  })
})

describe('secrets of webhooks', () => {
  it('are on record when they are made and rotated, by whom and for what, and never themselves', async () => {
    const { core } = await world()
    const { items } = await expectOk(core.audit.records({ action: null, actor: null, subject: null, from: null, to: null }, null, 10))
    expect(items.map(({ action, actor, requestId }) => [action, actor, requestId])).toEqual([
      ['webhook-secret.rotated', caller.client, caller.requestId],
      ...Array.from({ length: 3 }, () => ['webhook-secret.created', caller.client, caller.requestId]),
    ])
    expect(JSON.stringify(items)).not.toContain('whsec_')
  })
})
