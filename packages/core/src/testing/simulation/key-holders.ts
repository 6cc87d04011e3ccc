import type { Identity } from '../../access/index.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/random.ts'
import type { ClientWorld } from './clients.ts'
import type { KeyRecord } from './history.ts'
import type { Instance } from './instance.ts'
import { patiently } from './patience.ts'

const grantor: Identity = {
  client: 'client 0',
  userId: null,
  permissions: new Set(['admin']),
  configScopes: null,
  expiresAt: Number.MAX_SAFE_INTEGER,
}
const caller = { client: grantor.client, requestId: 'keys', traceparent: null }
const details = { name: 'till', permissions: ['payments:read'], configScopes: null, allowedFrom: null, lifetimeDays: null } as const
/** L18. */
const deadAfterMs = 60_000
/** Longer than any clock of a world steps, and an instance takes a row for the newest. */
const knownAfterMs = 15_000

/** Makes keys, uses them anywhere, rotates them and, now and then, ends one; notes what it was told. */
export async function runKeyHolder(world: ClientWorld, random: Random): Promise<void> {
  const own: KeyRecord[] = []
  while (world.isFaulty()) {
    await world.clock.sleep(100 + Math.floor(random.fraction() * 3000))
    const instance = world.anyInstance(random)
    if (instance === null || !world.isFaulty()) continue
    const drawn = random.fraction()
    const record = own[Math.floor(random.fraction() * own.length)]
    if (record === undefined || (drawn < 0.05 && own.length < 4)) await create(world, instance, own)
    else if (drawn < 0.12) await rotate(world, instance, record)
    else if (drawn < 0.17) await revoke(world, instance, record)
    else await useKey(world, instance, record, random)
  }
}

async function create({ clock, history }: ClientWorld, { core }: Instance, own: KeyRecord[]): Promise<void> {
  const made = await patiently(clock, core.access.createApiKey({ details, grantor, recipient: null, caller }))
  if (made?.isOk() !== true) return
  const { key, delivery } = made.value
  if (delivery.kind !== 'plain') return
  const record: KeyRecord = { id: key.id, secrets: [{ text: delivery.text.reveal(), toldAt: clock.now() }], isEnding: false, endedAt: null }
  own.push(record)
  history.keys.push(record)
}

async function rotate({ clock }: ClientWorld, { core }: Instance, record: KeyRecord): Promise<void> {
  const rotated = await patiently(clock, core.access.rotateApiKey({ id: record.id, grantor, recipient: null, caller }))
  if (rotated?.isOk() !== true || rotated.value.delivery.kind !== 'plain') return
  record.secrets.push({ text: rotated.value.delivery.text.reveal(), toldAt: clock.now() })
}

async function revoke({ clock }: ClientWorld, { core }: Instance, record: KeyRecord): Promise<void> {
  record.isEnding = true
  const viewer = { client: grantor.client, seesAll: false }
  const ended = await patiently(clock, core.access.revokeApiKey({ id: record.id, viewer, reason: null, caller }))
  if (ended?.isOk() === true) record.endedAt ??= clock.now()
}

async function useKey(world: ClientWorld, instance: Instance, record: KeyRecord, random: Random): Promise<void> {
  const secret = record.secrets[Math.floor(random.fraction() * record.secrets.length)]
  if (secret === undefined) return
  const begunAt = world.clock.now()
  const outcome = await patiently(world.clock, Promise.resolve(instance.core.access.authenticateApiKey(secret.text, () => true)))
  if (outcome !== null)
    judgeUse(world, instance, record, { toldAt: secret.toldAt, begunAt, kind: 'kind' in outcome ? outcome.kind : 'admitted' })
}

type Use = Readonly<{ toldAt: Instant; begunAt: Instant; kind: string }>

function judgeUse(
  { history }: Pick<ClientWorld, 'history'>,
  { name }: Pick<Instance, 'name'>,
  record: KeyRecord,
  { toldAt, begunAt, kind }: Use,
): void {
  history.keyUses.count += 1
  if (record.endedAt !== null && begunAt - record.endedAt >= deadAfterMs && kind === 'admitted') {
    history.violations.push({
      law: 'L18',
      detail: `${name} admitted the key ${record.id} ${begunAt - record.endedAt} ms after it was revoked`,
    })
  }
  if (!record.isEnding && begunAt - toldAt >= knownAfterMs && kind === 'api-key-refused') {
    history.violations.push({ law: 'L18', detail: `${name} refused a valid secret of the key ${record.id}` })
  }
}

/** After everything has settled: what is valid is admitted everywhere, and what was revoked is not. */
export async function useEveryKey(world: ClientWorld, instance: Instance): Promise<void> {
  for (const record of world.history.keys) {
    for (const { text, toldAt } of record.secrets) {
      const begunAt = world.clock.now()
      const outcome = await instance.core.access.authenticateApiKey(text, () => true)
      const kind = 'kind' in outcome ? outcome.kind : 'admitted'
      judgeUse(world, instance, record, { toldAt, begunAt, kind })
      if (kind === 'store-unavailable') {
        world.history.violations.push({ law: 'L18', detail: `${instance.name} cannot tell after everything has healed` })
      }
    }
  }
}
