import { err, ok, type Result } from 'neverthrow'
import type { Brand } from '../kernel/brand.ts'
import type { InputFault } from '../kernel/failures.ts'

/** A part of the platform that owns settings, e.g. `payments`. */
export type Component = Brand<string, 'Component'>
/** The name of a setting within its component, dotted lower-kebab, e.g. `retry.max-attempts`. */
export type ConfigKey = Brand<string, 'ConfigKey'>
/** A slash path of at most 4 segments; `/` is everyone. */
export type Scope = Brand<string, 'Scope'>

/** Where an entry lives. */
export type Address = Readonly<{ component: Component; key: ConfigKey; scope: Scope }>

const segment = '[a-z][a-z0-9-]{0,62}'
/** The forms of the three names, for schemas that describe them. */
export const componentPattern: RegExp = new RegExp(`^${segment}$`)
export const keyPattern: RegExp = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/
export const scopePattern: RegExp = new RegExp(`^/(?:${segment}(?:/${segment}){0,3})?$`)
export const keyLengthLimit = 128

/** Words that are paths of the HTTP interface, and so cannot be components. */
export const reservedComponents: ReadonlySet<string> = new Set([
  'changes',
  'changesets',
  'watch',
  'export',
  'import',
  'receipts',
  'acknowledgements',
  'convergence',
])

export const rootScope: Scope = '/' as Scope

export function parseComponent(text: string): Result<Component, InputFault> {
  if (!componentPattern.test(text)) {
    return fault('invalid-component', 'A component is a lower-case letter, then up to 62 letters, digits or hyphens, e.g. "payments".')
  }
  if (reservedComponents.has(text)) return fault('reserved-component', `"${text}" is reserved; choose another component name.`)
  return ok(text as Component)
}

export function parseKey(text: string): Result<ConfigKey, InputFault> {
  if (text.length > keyLengthLimit || !keyPattern.test(text)) {
    return fault('invalid-key', `A key is dotted lower-kebab of at most ${keyLengthLimit} characters, e.g. "retry.max-attempts".`)
  }
  return ok(text as ConfigKey)
}

export function parseScope(text: string): Result<Scope, InputFault> {
  if (!scopePattern.test(text)) {
    return fault('invalid-scope', 'A scope is "/" or a path of at most 4 segments, e.g. "/production/first-cu", with no slash at its end.')
  }
  return ok(text as Scope)
}

/** The scopes whose entries count at `scope`, from `/` down to itself. */
export function scopeChain(scope: Scope): readonly Scope[] {
  if (scope === rootScope) return [rootScope]
  const segments = scope.slice(1).split('/')
  return [rootScope, ...segments.map((_, index) => `/${segments.slice(0, index + 1).join('/')}` as Scope)]
}

export function sameAddress(left: Address, right: Address): boolean {
  return left.component === right.component && left.key === right.key && left.scope === right.scope
}

function fault(code: string, message: string): Result<never, InputFault> {
  return err({ pointer: '', code, message })
}
