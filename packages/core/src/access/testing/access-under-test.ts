import type { Tunable } from '../../config/index.ts'
import { type Core, createCore } from '../../create-core.ts'
import type { Caller } from '../../kernel/caller.ts'
import { cancelSource } from '../../kernel/cancel.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { JsonValue } from '../../kernel/json.ts'
import { fakeSignals } from '../../kernel/testing/fake-signals.ts'
import type { Ports } from '../../ports.ts'
import { type FakePorts, fakePorts } from '../../testing/fake-ports.ts'
import { expectOk } from '../../testing/store-units.ts'
import type { ApiKeyDetails, IssuedApiKey } from '../access-service.ts'
import type { Identity, Permission } from '../identity.ts'

export const dayMs = 86_400_000
export const minuteMs = 60_000
export const caller: Caller = { client: 'issuer|shop', requestId: 'request-1', traceparent: null }
export const anywhere = (): boolean => true

/** Who grants: a client with these permissions, confined to no scope. */
export function grantorWith(permissions: readonly Permission[], changed: Partial<Identity> = {}): Identity {
  return {
    client: 'issuer|shop',
    userId: null,
    permissions: new Set(permissions),
    configScopes: null,
    expiresAt: Number.MAX_SAFE_INTEGER,
    ...changed,
  }
}

export const administrator: Identity = grantorWith(['admin'])

export const details: ApiKeyDetails = {
  name: 'till 7',
  permissions: ['payments:read'],
  configScopes: null,
  allowedFrom: null,
  lifetimeDays: null,
}

export type AccessWorld = Readonly<{ ports: FakePorts; core: Core; reads: { count: number } }>

/** Core over fakes that counts how often the store is asked for a key. */
export function accessWorld(overrides: Partial<FakePorts> = {}): AccessWorld {
  const ports = fakePorts(overrides as Partial<Ports>) as FakePorts
  const reads = { count: 0 }
  const { apiKeyStore } = ports
  const counted = {
    ...apiKeyStore,
    apiKey: (id: Uuid) => {
      reads.count += 1
      return apiKeyStore.apiKey(id)
    },
  }
  const own = { ...ports, apiKeyStore: counted }
  return { ports: own, core: createCore(own), reads }
}

/** Another instance of the same world, with a cache of its own, which hears nothing of what the others raise. */
export function deafInstance({ ports }: AccessWorld): AccessWorld {
  return accessWorld({ ...ports, signals: fakeSignals() })
}

export async function issued(
  { core }: AccessWorld,
  changed: Partial<ApiKeyDetails> = {},
  grantor: Identity = administrator,
): Promise<IssuedApiKey> {
  return expectOk(core.access.createApiKey({ details: { ...details, ...changed }, grantor, recipient: null, caller }))
}

export async function rotated({ core }: AccessWorld, id: Uuid, grantor: Identity = administrator): Promise<IssuedApiKey> {
  return expectOk(core.access.rotateApiKey({ id, grantor, recipient: null, caller }))
}

export async function revoke({ core }: AccessWorld, id: Uuid): Promise<void> {
  await expectOk(core.access.revokeApiKey({ id, viewer: { client: 'issuer|shop', seesAll: true }, reason: null, caller }))
}

export function textOf({ delivery }: IssuedApiKey): string {
  if (delivery.kind !== 'plain') throw new Error('it was sealed')
  return delivery.text.reveal()
}

/** `ok`, or why not. */
export async function tried({ core }: AccessWorld, text: string): Promise<string> {
  const outcome = await core.access.authenticateApiKey(text, anywhere)
  return 'kind' in outcome ? outcome.reason : 'ok'
}

export async function setTunable<T extends JsonValue>({ core }: AccessWorld, { address }: Tunable<T>, value: T): Promise<void> {
  await expectOk(core.config.put({ ...address, value, reason: 'test', precondition: { kind: 'absent' }, caller }))
}

/** Runs the background work of one instance until the test has done its own. */
export async function watching({ core, ports }: AccessWorld, work: () => Promise<void>): Promise<void> {
  const stop = cancelSource()
  let isOver = false
  const running = core.access.watchKeys(stop.signal).finally(() => {
    isOver = true
  })
  await work()
  stop.cancel()
  // Units that meet one another wait a little before they try again.
  while (!isOver) await ports.clock.advance(10)
  await running
}
