import { type Address, type Component, type ConfigKey, type Scope, scopeChain } from '../../config/index.ts'
import type { Random } from '../../kernel/random.ts'

const components = ['payments', 'ledger'] as Component[]
const keys = ['limit', 'retry.policy', 'endpoint'] as ConfigKey[]
const scopes = ['/', '/production', '/production/first-cu'] as Scope[]

/** A few addresses, so that clients meet at them. */
export const pool: Readonly<{
  addresses: readonly Address[]
  anyAddress: (random: Random) => Address
  below: (at: Address) => readonly Address[]
}> = {
  addresses: components.flatMap((component) => keys.flatMap((key) => scopes.map((scope) => ({ component, key, scope })))),
  anyAddress: (random) => pool.addresses[Math.floor(random.fraction() * pool.addresses.length)] as Address,
  /** The addresses whose resolved value an entry can shape. */
  below: (at) =>
    pool.addresses.filter(
      ({ component, key, scope }) => component === at.component && key === at.key && scopeChain(scope).includes(at.scope),
    ),
}
