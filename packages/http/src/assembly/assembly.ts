import 'reflect-metadata'
import { createCore, type Log, type Ports } from '@cbp/core'
import { Container, ContainerModule } from 'inversify'
import { err, ok, type Result } from 'neverthrow'
import { joseRecipientSeal } from './keys/recipient-seal.ts'
import { nodeDigest, nodeMac, nodeSecretSource, systemClock, systemRandom, uuidSource } from './platform/index.ts'
import { openResources, type Resources, type ResourceUnavailable } from './resources.ts'
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

/** Opens what the settings name, then assembles core over it. */
export async function openAssembly(
  settings: Settings,
  { log, decorate = (ports) => ports }: AssemblyOptions,
): Promise<Result<Assembly, ResourceUnavailable>> {
  await using opening = new AsyncDisposableStack()
  const resources = await openResources(settings, log, opening)
  if (resources.isErr()) return err(resources.error)
  const container = new Container({ defaultScope: 'Singleton' })
  container.load(platformModule(settings, log), resourceModule(resources.value), coreModule(decorate))
  const opened = opening.move()
  return ok({
    get: (name) => container.get(name),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  })
}

function platformModule(settings: Settings, log: Log): ContainerModule {
  return new ContainerModule((options) => {
    bindValue(options, 'settings', settings)
    bindValue(options, 'log', log)
    bindValue(options, 'clock', systemClock)
    bindValue(options, 'ids', uuidSource)
    bindValue(options, 'random', systemRandom)
    bindValue(options, 'digest', nodeDigest)
    bindValue(options, 'mac', nodeMac)
    bindValue(options, 'secretSource', nodeSecretSource)
  })
}

function resourceModule(resources: Resources): ContainerModule {
  return new ContainerModule((options) => {
    bindValue(options, 'store', resources.store)
    bindValue(options, 'configCache', resources.configCache)
    bindValue(options, 'rateLimiter', resources.rateLimiter)
    bindValue(options, 'eventBroker', resources.eventBroker)
    bindValue(options, 'signals', resources.signals)
    bindValue(options, 'engineHealth', resources.engineHealth)
    bindValue(options, 'keyRing', resources.keyRing)
    bindValue(options, 'inboundSecrets', resources.inboundSecrets)
    bindValue(options, 'webhookTransport', resources.webhookTransport)
    bindValue(options, 'paymentService', resources.paymentService)
    bindValue(options, 'sandbox', resources.sandbox)
    bindValue(options, 'callbackAddress', resources.callbackAddress)
    bindValue(options, 'userDirectory', resources.userDirectory)
  })
}

function coreModule(decorate: (ports: Ports) => Ports): ContainerModule {
  return new ContainerModule((options) => {
    bindMade(options, 'storePorts', ['store'], (store) => ({
      transactions: store.transactions,
      configStore: store.configStore,
      outbox: store.outbox,
      deadLetterStore: store.deadLetterStore,
      paymentStore: store.paymentStore,
      webhookStore: store.webhookStore,
      apiKeyStore: store.apiKeyStore,
      auditStore: store.auditStore,
      dataKeyStore: store.dataKeyStore,
    }))
    bindMade(
      options,
      'platformPorts',
      ['settings', 'clock', 'ids', 'random', 'digest', 'log', 'mac', 'secretSource', 'keyRing'],
      ({ env }, clock, ids, random, digest, log, mac, secretSource, keyRing) => ({
        ...{ clock, ids, random, digest, log, mac, secretSource, keyRing },
        recipientSeal: joseRecipientSeal,
        environment: env,
      }),
    )
    bindMade(options, 'enginePorts', ['signals', 'configCache', 'eventBroker'], (signals, configCache, eventBroker) => ({
      ...{ signals, configCache, eventBroker },
    }))
    bindMade(
      options,
      'ports',
      ['platformPorts', 'storePorts', 'enginePorts', 'paymentService', 'userDirectory', 'webhookTransport', 'inboundSecrets'],
      (platform, store, engines, paymentService, userDirectory, webhookTransport, inboundSecrets) =>
        decorate({ ...platform, ...store, ...engines, paymentService, userDirectory, webhookTransport, inboundSecrets }),
    )
    bindMade(options, 'core', ['ports'], (ports) => createCore(ports))
  })
}
