import { describe, expect, it } from 'vitest'
import { rootScope, type Scope, tunables } from '../config/index.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import { dataKeys } from '../sealing/index.ts'
import { expectOk } from '../testing/store-units.ts'
import type { Transaction } from '../transaction.ts'
import type { BeyondGrant } from './access-service.ts'
import { apiKeyLimits } from './api-key.ts'
import { accessService } from './build-access.ts'
import {
  type AccessWorld,
  accessWorld,
  administrator,
  caller,
  dayMs,
  deafInstance,
  details,
  grantorWith,
  issued,
  revoke,
  rotated,
  setTunable,
  textOf,
  tried,
} from './testing/access-under-test.ts'

const owner = { client: 'issuer|shop', seesAll: false }
const stranger = { client: 'issuer|stranger', seesAll: false }
const first = '/production/first-cu' as Scope

async function auditOf({ core }: AccessWorld): Promise<readonly unknown[]> {
  const { items } = await expectOk(core.audit.records({ action: null, actor: null, subject: null, from: null, to: null }, null, 100))
  return items
}

describe('creating an API key', () => {
  it('tells the secret once, and stores no more of it than its MAC', async () => {
    const world = accessWorld()
    const made = await issued(world)
    const text = textOf(made)
    expect(text).toMatch(/^cbp_development_[0-9a-f]{32}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/)
    const stored = JSON.stringify(await expectOk(world.ports.apiKeyStore.apiKey(made.key.id)))
    expect(stored).not.toContain(text.split('_')[3])
    expect(JSON.stringify([made, await auditOf(world)])).not.toContain(text.split('_')[3])
    expect(made.key.secrets).toMatchObject([{ pepper: 1, expiresAt: world.ports.clock.now() + 90 * dayMs }])
  })

  it('is sealed to a recipient, so that nobody between sees it', async () => {
    const world = accessWorld()
    const command = { details, grantor: administrator, caller }
    const made = await expectOk(world.core.access.createApiKey({ ...command, recipient: { kty: 'EC', kid: 'desk' } }))
    expect(made.delivery).toMatchObject({ kind: 'sealed', jwe: expect.stringMatching(/^sealed for desk: cbp_/) })
    const refused = await world.core.access.createApiKey({ ...command, recipient: { kty: 'oct' } })
    expect(refused._unsafeUnwrapErr().kind).toBe('unusable-recipient')
    expect((await expectOk(world.core.access.apiKeys(owner, null, 10))).items).toHaveLength(1)
  })

  it('ends as was asked for, and never later than the policy has it', async () => {
    const world = accessWorld()
    const now = world.ports.clock.now()
    const endOf = async (lifetimeDays: number | null) => ((await issued(world, { lifetimeDays })).key.secrets[0]?.expiresAt ?? 0) - now
    expect([await endOf(30), await endOf(400), await endOf(null)]).toEqual([30 * dayMs, 90 * dayMs, 90 * dayMs])
    await setTunable(world, tunables.apiKeyLifetimeDays, 10)
    expect([await endOf(30), await endOf(null)]).toEqual([10 * dayMs, 10 * dayMs])
  })

  it('lets nobody grant more than they hold', async () => {
    const world = accessWorld()
    const grantor = grantorWith(['keys:write', 'payments:read'], { configScopes: [first] })
    const tries = [
      [
        { permissions: ['payments:write'], configScopes: [first] },
        { permissions: ['payments:write'], configScopes: [] },
      ],
      [
        { permissions: ['admin'], configScopes: [first] },
        { permissions: ['admin'], configScopes: [] },
      ],
      [{ configScopes: null }, { permissions: [], configScopes: [rootScope] }],
      [{ configScopes: ['/production' as Scope] }, { permissions: [], configScopes: ['/production'] }],
      [{ configScopes: [first, '/production/first-cuckoo' as Scope] }, { permissions: [], configScopes: ['/production/first-cuckoo'] }],
    ] as const
    for (const [asked, beyond] of tries) {
      const refused = await world.core.access.createApiKey({ details: { ...details, ...asked }, grantor, recipient: null, caller })
      expect(refused._unsafeUnwrapErr()).toEqual({ kind: 'beyond-grant', ...beyond })
    }
    expect(
      (await issued(world, { permissions: ['payments:read', 'keys:write'], configScopes: [`${first}/till` as Scope] }, grantor)).status,
    ).toBe('active')
    expect((await expectOk(world.core.access.apiKeys(owner, null, 10))).items).toHaveLength(1)
  })

  it('takes note of who tried to', async () => {
    const notes: unknown[] = []
    const { core, ports } = accessWorld()
    const audit = { openTrail: core.audit.openTrail, note: (refusal: unknown) => void notes.push(refusal) }
    const deps = { ...ports, audit, tunable: core.config.tunable }
    const access = accessService({ ...deps, dataKeys: dataKeys({ ...ports, unitOfWork: unitOfWork<Transaction>(ports) }) })
    const grantor = grantorWith(['keys:write'])
    await access.createApiKey({ details, grantor, recipient: null, caller })
    await access.createApiKey({
      details: { ...details, permissions: ['keys:write'] },
      grantor: { ...grantor, configScopes: [] },
      recipient: null,
      caller,
    })
    await access.revokeApiKey({ id: '01890a5d-ac96-774b-bcce-b302099a8057' as never, viewer: stranger, reason: null, caller })
    expect(notes).toMatchObject([
      { action: 'permission.refused', actor: 'issuer|shop', requestId: 'request-1', details: { permissions: ['payments:read'] } },
      { action: 'scope.refused' },
      { action: 'permission.refused', actor: 'issuer|stranger', subject: 'api-key/01890a5d-ac96-774b-bcce-b302099a8057' },
    ])
  })

  it('is recorded in the audit log with rotation and revocation', async () => {
    const world = accessWorld()
    const { key } = await issued(world)
    await rotated(world, key.id)
    await revoke(world, key.id)
    await revoke(world, key.id)
    expect(await auditOf(world)).toMatchObject(
      ['revoked', 'rotated', 'created'].map((what) => ({
        action: `api-key.${what}`,
        outcome: 'done',
        subject: `api-key/${key.id}`,
        actor: 'issuer|shop',
      })),
    )
  })

  it('ends at a thousand that are not revoked', async () => {
    const world = accessWorld()
    const { key } = await issued(world)
    const rows = Array.from({ length: apiKeyLimits.perOwner }, (_, index) => ({
      ...key,
      id: `${String(index).padStart(8, '0')}${key.id.slice(8)}` as never,
    }))
    const fill = (from: number, to: number) =>
      world.ports.transactions.attempt(world.ports.ids.next(), (tx) => {
        for (const row of rows.slice(from, to)) tx.apiKeys.insert(row)
        return tx.dataKeys.find({ purpose: 'api-key-pepper', version: 1 })
      })
    await fill(0, apiKeyLimits.perOwner - 1)
    const create = () => world.core.access.createApiKey({ details, grantor: administrator, recipient: null, caller })
    expect((await create())._unsafeUnwrapErr()).toEqual({ kind: 'too-many-api-keys', limit: 1000 })
    await revoke(world, key.id)
    expect((await create()).isOk()).toBe(true)
    expect((await create()).isErr()).toBe(true)
  })
})

describe('rotating an API key', () => {
  it('makes a new secret current, while the one before goes on for the overlap', async () => {
    const world = accessWorld()
    const made = await issued(world)
    const again = await rotated(world, made.key.id)
    expect(again.key).toMatchObject({ id: made.key.id, version: 2, owner: made.key.owner })
    expect([await tried(world, textOf(made)), await tried(world, textOf(again))]).toEqual(['ok', 'ok'])
    await world.ports.clock.advance(7 * dayMs)
    expect([await tried(world, textOf(made)), await tried(world, textOf(again))]).toEqual(['its secret has expired', 'ok'])
  })

  it('keeps to the lifetime that was asked for', async () => {
    const world = accessWorld()
    const { key } = await issued(world, { lifetimeDays: 5 })
    const again = await rotated(world, key.id)
    expect(again.key.secrets.map(({ expiresAt }) => expiresAt - world.ports.clock.now())).toEqual([5 * dayMs, 5 * dayMs])
  })

  it('keeps five valid secrets at most, ends none before its time, and says when to come back', async () => {
    const world = accessWorld()
    const made = [await issued(world)]
    const { id } = (made[0] as (typeof made)[number]).key
    for (let more = 0; more < 4; more += 1) made.push(await rotated(world, id))
    const refused = await world.core.access.rotateApiKey({ id, grantor: administrator, recipient: null, caller })
    expect(refused._unsafeUnwrapErr()).toEqual({ kind: 'too-many-secrets', limit: 5, retryAfterSeconds: 7 * 86_400 })
    for (const each of made) expect(await tried(world, textOf(each))).toBe('ok')
    await world.ports.clock.advance(7 * dayMs)
    expect((await rotated(world, id)).key.secrets).toHaveLength(2)
  })

  it('brings an expired key back, but no revoked one', async () => {
    const world = accessWorld()
    const { key } = await issued(world)
    await world.ports.clock.advance(90 * dayMs)
    expect((await expectOk(world.core.access.apiKey(owner, key.id))).status).toBe('expired')
    expect(await tried(world, textOf(await rotated(world, key.id)))).toBe('ok')
    await revoke(world, key.id)
    const refused = await world.core.access.rotateApiKey({ id: key.id, grantor: administrator, recipient: null, caller })
    expect(refused._unsafeUnwrapErr().kind).toBe('api-key-revoked')
  })

  it('lets a key rotate itself, and nobody rotate what they could not grant', async () => {
    const world = accessWorld()
    const { key } = await issued(world, { permissions: ['keys:write', 'payments:read'] })
    const itself = grantorWith(['keys:write', 'payments:read'], { client: `api-key|${key.id}` })
    expect((await rotated(world, key.id, itself)).key.version).toBe(2)
    const rotate = (grantor: typeof itself) => world.core.access.rotateApiKey({ id: key.id, grantor, recipient: null, caller })
    const owners = await rotate(grantorWith(['keys:write']))
    expect((owners._unsafeUnwrapErr() as BeyondGrant).permissions).toEqual(['payments:read'])
    const others = await rotate(grantorWith(['keys:write', 'payments:read'], { client: stranger.client }))
    expect(others._unsafeUnwrapErr().kind).toBe('api-key-not-found')
    const seesAll = await rotate(grantorWith(['keys:write', 'clients:all'], { client: stranger.client }))
    expect(seesAll._unsafeUnwrapErr().kind).toBe('beyond-grant')
    const confined = await rotate(grantorWith(['keys:write', 'payments:read'], { configScopes: [first] }))
    expect((confined._unsafeUnwrapErr() as BeyondGrant).configScopes).toEqual([rootScope])
  })
})

describe('the list of API keys', () => {
  it('shows the keys of a client newest first, to nobody else, with their status', async () => {
    const world = accessWorld()
    const made = [
      await issued(world),
      await issued(world, { lifetimeDays: 10 }),
      await issued(world, { lifetimeDays: 1 }),
      await issued(world),
    ]
    const [oldest, , , newest] = made.map(({ key }) => key.id)
    await revoke(world, newest as never)
    await world.ports.clock.advance(dayMs)
    const page = await expectOk(world.core.access.apiKeys(owner, null, 3))
    expect(page.items.map(({ status }) => status)).toEqual(['revoked', 'expired', 'expiring'])
    const rest = await expectOk(world.core.access.apiKeys(owner, page.next, 3))
    expect([rest.items.map(({ key, status }) => [key.id, status]), rest.next]).toEqual([[[oldest, 'active']], null])
    expect((await expectOk(world.core.access.apiKeys(stranger, null, 3))).items).toEqual([])
    expect((await expectOk(world.core.access.apiKeys({ ...stranger, seesAll: true }, null, 10))).items).toHaveLength(4)
    for (const viewer of [owner, { client: `api-key|${oldest}`, seesAll: false }]) {
      expect((await expectOk(world.core.access.apiKey(viewer, oldest as never))).key.id).toBe(oldest)
    }
    expect((await world.core.access.apiKey(stranger, oldest as never))._unsafeUnwrapErr().kind).toBe('api-key-not-found')
  })
})

describe('revoking an API key', () => {
  it('L18: ends it at once here, and within 15 s where nothing was heard of it', async () => {
    const world = accessWorld()
    const elsewhere = deafInstance(world)
    const text = textOf(await issued(world))
    expect([await tried(world, text), await tried(elsewhere, text)]).toEqual(['ok', 'ok'])
    await revoke(world, (await expectOk(world.core.access.apiKeys(owner, null, 1))).items[0]?.key.id as never)
    expect([await tried(world, text), await tried(elsewhere, text)]).toEqual(['it was revoked', 'ok'])
    await elsewhere.ports.clock.advance(15_000)
    expect(await tried(elsewhere, text)).toBe('it was revoked')
  })

  it('is for those who may see it', async () => {
    const world = accessWorld()
    const { key } = await issued(world)
    const refused = await world.core.access.revokeApiKey({ id: key.id, viewer: stranger, reason: null, caller })
    expect(refused._unsafeUnwrapErr().kind).toBe('api-key-not-found')
    const itself = await world.core.access.revokeApiKey({
      id: key.id,
      viewer: { client: `api-key|${key.id}`, seesAll: false },
      reason: 'leaked',
      caller,
    })
    expect(itself._unsafeUnwrap()).toMatchObject({ version: 2, warnAt: null, revokedAt: world.ports.clock.now() })
  })
})
