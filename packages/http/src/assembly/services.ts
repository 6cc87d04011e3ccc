import type { Core, Log, Ports } from '@cbp/core'
import type { BindInWhenOnFluentSyntax, ContainerModuleLoadOptions, ResolvedValueInjectOptions } from 'inversify'
import type { StorePort } from './engines.ts'
import type { Resources } from './resources.ts'
import type { Settings } from './settings.ts'

/** Every name that the container knows, with its type: the one place that ties them together. */
export type Services = Resources &
  Pick<Ports, PlatformPort> & {
    settings: Settings
    log: Log
    platformPorts: Pick<Ports, PlatformPort | 'log' | 'keyRing' | 'recipientSeal' | 'environment'>
    storePorts: Pick<Ports, StorePort>
    enginePorts: Pick<Ports, 'signals' | 'configCache' | 'eventBroker'>
    ports: Ports
    core: Core
  }

type PlatformPort = 'clock' | 'ids' | 'random' | 'digest' | 'mac' | 'secretSource'

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
