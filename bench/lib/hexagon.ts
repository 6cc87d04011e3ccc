import { join } from 'node:path'
import { type GroupCommitLimits, openSqliteStore, type SqliteStore } from '@cbp/adapters-sql'
import { type Caller, type Component, type ConfigKey, type Core, createCore, type Log, type Ports, type Scope } from '@cbp/core'
import { openAssembly, readSettings, systemClock } from '@cbp/http/assembly'

/** The assembled core over one SQLite file, without a host around it. */
export type Hexagon = AsyncDisposable & Readonly<{ core: Core; ports: Ports; store: SqliteStore }>

export type HexagonOptions = Readonly<{
  /** Every unit its own transaction: what a store without group commit does. */
  oneCommitPerUnit?: boolean
  decorate?: (ports: Ports) => Ports
}>

const silent: Log = { write: () => {} }
export const caller: Caller = { client: 'bench', requestId: 'bench', traceparent: null }

const plainLimits: Partial<GroupCommitLimits> = { batchUnits: 1 }

export async function openHexagon(
  directory: string,
  { oneCommitPerUnit = false, decorate = (ports) => ports }: HexagonOptions = {},
): Promise<Hexagon> {
  const settings = readSettings({ CBP_DATA_DIR: join(directory, 'assembly') }, directory)
  if (settings.isErr()) throw new Error(settings.error.map(({ message }) => message).join('; '))
  await using opening = new AsyncDisposableStack()
  const assembled = await openAssembly(settings.value, { log: silent })
  if (assembled.isErr()) throw new Error(assembled.error.reason)
  const platform = opening.use(assembled.value).get('ports')
  const opened = await openSqliteStore({
    path: join(directory, 'bench.sqlite'),
    clock: systemClock,
    random: platform.random,
    ...(oneCommitPerUnit ? { limits: plainLimits, defer: (run: () => void) => run() } : {}),
  })
  if (opened.isErr()) throw new Error(opened.error.reason)
  const store = opened.value
  opening.defer(() => store.close())
  const { transactions, configStore, outbox, deadLetterStore, paymentStore, webhookStore } = store
  const ports = decorate({ ...platform, transactions, configStore, outbox, deadLetterStore, paymentStore, webhookStore })
  const closing = opening.move()
  return { core: createCore(ports), ports, store, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}

export function address(component: string, key: string, scope = '/'): Readonly<{ component: Component; key: ConfigKey; scope: Scope }> {
  return { component: component as Component, key: key as ConfigKey, scope: scope as Scope }
}
