import type { SqliteStore } from '@cbp/adapters-sql'
import type { Clock, ConfigCache, Core, Digest, EventBroker, IdSource, Log, Ports, Random, Signals } from '@cbp/core'
import type { BindInWhenOnFluentSyntax, ContainerModuleLoadOptions, ResolvedValueInjectOptions } from 'inversify'
import type { Settings } from './settings.ts'

/** Every name that the container knows, with its type: the one place that ties them together. */
export type Services = {
  settings: Settings
  log: Log
  clock: Clock
  ids: IdSource
  random: Random
  digest: Digest
  signals: Signals
  store: SqliteStore
  configCache: ConfigCache
  eventBroker: EventBroker
  ports: Ports
  core: Core
}

export type ServiceName = keyof Services

/** Binds a name to a value made beforehand, such as an opened resource. */
export function bindValue<Name extends ServiceName>(options: ContainerModuleLoadOptions, name: Name, value: Services[Name]): void {
  options.bind<unknown>(name).toConstantValue(value)
}

/** Binds a name to what `make` builds, once, of the services it needs. A dependency of another type does not compile. */
export function bindMade<Name extends ServiceName, const Needs extends readonly ServiceName[]>(
  options: ContainerModuleLoadOptions,
  name: Name,
  needs: Needs,
  make: (...services: { [Index in keyof Needs]: Services[Needs[Index]] }) => Services[Name],
): void {
  const binding: BindInWhenOnFluentSyntax<unknown> = options
    .bind<unknown>(name)
    .toResolvedValue(make as (...services: unknown[]) => unknown, [...needs] as ResolvedValueInjectOptions<unknown>[])
  binding.inSingletonScope()
}
