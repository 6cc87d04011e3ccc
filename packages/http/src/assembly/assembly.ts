import 'reflect-metadata'
import type { SqliteStore } from '@cbp/adapters-sql'
import { type ConfigCache, cancelSource, createCore, type EventBroker, type Log, type Ports, type Signals } from '@cbp/core'
import { Container, ContainerModule } from 'inversify'
import { err, ok, type Result } from 'neverthrow'
import { nodeDigest, systemClock, systemRandom, uuidSource } from './platform/index.ts'
import { bindMade, bindValue, type ServiceName, type Services } from './services.ts'
import type { Settings } from './settings.ts'

/** The assembled hexagon with everything it has opened. Disposing of it closes all of that, last opened first. */
export interface Assembly extends AsyncDisposable {
  get<Name extends ServiceName>(name: Name): Services[Name]
}

export type AssemblyOptions = Readonly<{
  log: Log
  /** Wraps the ports before core is built over them, e.g. to measure them. */
  decorate?: (ports: Ports) => Ports
}>

/** A resource that the settings name did not open; `reason` says how to mend it. */
export type ResourceUnavailable = Readonly<{ kind: 'resource-unavailable'; resource: 'store'; reason: string }>

type Resources = Readonly<{ store: SqliteStore; configCache: ConfigCache; eventBroker: EventBroker; signals: Signals }>

const cacheCapacity = 100_000
const closeDeadlineMs = 5000

/** Opens what the settings name, then assembles core over it. Drivers are loaded only for the engines in use. */
export async function openAssembly(
  settings: Settings,
  { log, decorate = (ports) => ports }: AssemblyOptions,
): Promise<Result<Assembly, ResourceUnavailable>> {
  await using opening = new AsyncDisposableStack()
  const resources = await openResources(settings, opening)
  if (resources.isErr()) return err(resources.error)
  const container = new Container({ defaultScope: 'Singleton' })
  container.load(platformModule(settings, log), resourceModule(resources.value), coreModule(decorate))
  const opened = opening.move()
  return ok({
    get: (name) => container.get(name),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  })
}

async function openResources(settings: Settings, opening: AsyncDisposableStack): Promise<Result<Resources, ResourceUnavailable>> {
  const [{ openSqliteStore }, { inProcessConfigCache }, { inProcessEventBroker, inProcessSignals }] = await Promise.all([
    import('@cbp/adapters-sql'),
    import('@cbp/adapters-redis'),
    import('@cbp/adapters-amqp'),
  ])
  const { path, synchronous } = settings.sql
  const opened = await openSqliteStore({ path, synchronous, clock: systemClock, random: systemRandom })
  if (opened.isErr()) return err({ kind: 'resource-unavailable', resource: 'store', reason: `${path}: ${opened.error.reason}` })
  const store = opened.value
  opening.defer(() => store.close())
  const eventBroker = inProcessEventBroker()
  opening.defer(() => inTime(eventBroker.close()))
  const configCache = inProcessConfigCache({ capacity: cacheCapacity, clock: systemClock })
  return ok({ store, configCache, eventBroker, signals: inProcessSignals() })
}

/** A consumer that never answers must not keep the process from ending: what it holds is delivered again later. */
async function inTime(closing: Promise<void>): Promise<void> {
  const timer = cancelSource()
  await Promise.race([closing, systemClock.sleep(closeDeadlineMs, timer.signal)])
  timer.cancel()
}

function platformModule(settings: Settings, log: Log): ContainerModule {
  return new ContainerModule((options) => {
    bindValue(options, 'settings', settings)
    bindValue(options, 'log', log)
    bindValue(options, 'clock', systemClock)
    bindValue(options, 'ids', uuidSource)
    bindValue(options, 'random', systemRandom)
    bindValue(options, 'digest', nodeDigest)
  })
}

function resourceModule({ store, configCache, eventBroker, signals }: Resources): ContainerModule {
  return new ContainerModule((options) => {
    bindValue(options, 'store', store)
    bindValue(options, 'configCache', configCache)
    bindValue(options, 'eventBroker', eventBroker)
    bindValue(options, 'signals', signals)
  })
}

function coreModule(decorate: (ports: Ports) => Ports): ContainerModule {
  return new ContainerModule((options) => {
    bindMade(
      options,
      'ports',
      ['clock', 'ids', 'random', 'digest', 'log', 'signals', 'store', 'configCache', 'eventBroker'],
      (clock, ids, random, digest, log, signals, store, configCache, eventBroker) => {
        const { transactions, configStore, outbox } = store
        return decorate({ clock, ids, random, digest, log, signals, transactions, configStore, outbox, configCache, eventBroker })
      },
    )
    bindMade(options, 'core', ['ports'], createCore)
  })
}
