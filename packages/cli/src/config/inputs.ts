import { type Address, type AsOf, type InputFault, parseComponent, parseKey, parseScope, type Revision, reasonLimit } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { parseInstant, readText } from '../inputs.ts'
import { inputFailure } from '../output/core-failures.ts'
import { type Failure, usageFailure } from '../output/failure.ts'

/** Where an entry lives, as it was typed; every fault in it at once. */
export function readAddress(component: string, key: string, scope = '/'): Result<Address, Failure> {
  const parsedComponent = parseComponent(component)
  const parsedKey = parseKey(key)
  const parsedScope = parseScope(scope)
  if (parsedComponent.isOk() && parsedKey.isOk() && parsedScope.isOk()) {
    return ok({ component: parsedComponent.value, key: parsedKey.value, scope: parsedScope.value })
  }
  const faults = [
    { name: 'component', parsed: parsedComponent },
    { name: 'key', parsed: parsedKey },
    { name: 'scope', parsed: parsedScope },
  ].flatMap(({ name, parsed }): readonly InputFault[] => (parsed.isErr() ? [{ ...parsed.error, pointer: name }] : []))
  return err(inputFailure(faults))
}

/** One name, as it was typed. */
export function readName<T>(parsed: Result<T, InputFault>): Result<T, Failure> {
  return parsed.mapErr((fault) => inputFailure([fault]))
}

/** A point in the history: digits are a revision, anything else is an RFC 3339 instant. */
export function readAsOf(text: string | undefined): Result<AsOf | null, Failure> {
  if (text === undefined) return ok(null)
  if (/^\d{1,15}$/.test(text)) return ok({ kind: 'revision', revision: Number(text) as Revision })
  const instant = parseInstant(text)
  if (instant === null) {
    return err(usageFailure('invalid-as-of', `--as-of takes a revision or an instant such as 2026-01-31T12:00:00Z, not "${text}".`))
  }
  return ok({ kind: 'instant', instant })
}

/** Why a change is made: the history keeps it. */
export function readReason(text: string): Result<string, Failure> {
  return readText('--reason', text, reasonLimit, 'say in a few words why, for the history')
}
