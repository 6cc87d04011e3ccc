import type { Address, Component, ConfigKey, Scope } from './address.ts'

/**
 * The names of cache records. They are remembered, because joining and hashing a long name costs a read that stays in
 * this process as much as all the rest of it.
 */
export function recordNames(capacity: number): (epoch: string, at: Address) => string {
  const names = new Map<Component, Map<ConfigKey, Map<Scope, string>>>()
  let size = 0
  let ofEpoch = ''

  const remember = ({ component, key, scope }: Address, name: string): void => {
    if (size >= capacity) {
      names.clear()
      size = 0
    }
    const keys = names.get(component) ?? new Map<ConfigKey, Map<Scope, string>>()
    const scopes = keys.get(key) ?? new Map<Scope, string>()
    names.set(component, keys.set(key, scopes.set(scope, name)))
    size += 1
  }

  return (epoch, at) => {
    if (epoch !== ofEpoch) {
      names.clear()
      size = 0
      ofEpoch = epoch
    }
    const known = names.get(at.component)?.get(at.key)?.get(at.scope)
    if (known !== undefined) return known
    const name = `${epoch}:${at.component}/${at.key}${at.scope}`
    remember(at, name)
    return name
  }
}
