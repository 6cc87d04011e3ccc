import { err, ok, type Result } from 'neverthrow'
import type { Caller } from '../kernel/caller.ts'
import type { Instant } from '../kernel/clock.ts'
import type { Digest } from '../kernel/digest.ts'
import type { InputFault } from '../kernel/failures.ts'
import { canonicalJson, type JsonValue, pointerTo, utf8Length } from '../kernel/json.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { Address } from './address.ts'

/** 1, 2, 3 … for each address; 0 stands for "no entry". */
export type VersionNumber = number

export type ChangeOp = 'put' | 'delete'

type VersionFacts = Address &
  Readonly<{
    version: VersionNumber
    /** 32 lower-case hex digits over the operation and its value. */
    hash: string
    actor: string
    reason: string
    requestId: string
    /** The version whose content this one restored, or `null`. */
    restoredFrom: VersionNumber | null
  }>

/** A version as recorded on a unit; the store adds revision and time when it commits. */
export type VersionDraft = VersionFacts & (Readonly<{ op: 'put'; value: JsonValue }> | Readonly<{ op: 'delete'; value: null }>)

/** One immutable version of an entry. A `delete` is a tombstone: it counts as absent. */
export type EntryVersion = VersionDraft & Readonly<{ revision: Revision; recordedAt: Instant }>

/** A version that holds a value. */
export type LiveVersion = EntryVersion & Readonly<{ op: 'put' }>

export function isLive(version: EntryVersion | null): version is LiveVersion {
  return version !== null && version.op === 'put'
}

export const valueLimitBytes: number = 64 * 1024
export const valueDepthLimit = 64
export const reasonLimit = 500

export type InvalidValue = Readonly<{ kind: 'invalid-value'; faults: readonly InputFault[] }>

/** Accepts any JSON value of at most 64 KiB (canonical form, UTF-8) and 64 levels. */
export function checkValue(value: JsonValue): Result<JsonValue, InvalidValue> {
  const fault = structureFault(value)
  if (fault !== null) return err({ kind: 'invalid-value', faults: [fault] })
  const bytes = utf8Length(canonicalJson(value))
  if (bytes <= valueLimitBytes) return ok(value)
  const message = `The value takes ${bytes} bytes; the limit is ${valueLimitBytes}. Split it over several keys.`
  return err({ kind: 'invalid-value', faults: [{ pointer: '', code: 'value-too-large', message }] })
}

type Placed = Readonly<{ value: unknown; pointer: string }>

/** Level by level rather than recursively, because a hostile value may be nested deeper than the stack allows. */
function structureFault(value: JsonValue): InputFault | null {
  let level: readonly Placed[] = [{ value, pointer: '' }]
  for (let depth = 0; level.length > 0; depth += 1) {
    const stranger = level.find((each) => !isJson(each.value))
    if (stranger !== undefined) {
      const message = 'Only null, booleans, finite numbers, strings, arrays and plain objects can be stored.'
      return { pointer: stranger.pointer, code: 'not-json', message }
    }
    const containers = level.filter((each) => typeof each.value === 'object' && each.value !== null)
    const [tooDeep] = depth === valueDepthLimit ? containers : []
    if (tooDeep !== undefined) {
      const message = `The value is nested deeper than ${valueDepthLimit} levels; flatten it or split it over several keys.`
      return { pointer: '', code: 'value-too-deep', message }
    }
    level = containers.flatMap(({ value: container, pointer }) =>
      Object.entries(container as object).map(([name, each]): Placed => ({ value: each, pointer: pointerTo(pointer, name) })),
    )
  }
  return null
}

/** Whether this much of a value is JSON, whatever it contains: callers without types, and numbers such as 1e400, get here too. */
function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean'
  if (value === null || Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Nothing is set at exactly this address. */
export type EntryNotFound = Readonly<{ kind: 'entry-not-found' }> & Address

export function entryNotFound({ component, key, scope }: Address): EntryNotFound {
  return { kind: 'entry-not-found', component, key, scope }
}

/** What a write does to an entry. */
export type Content = Readonly<{ op: 'put'; value: JsonValue }> | Readonly<{ op: 'delete'; value: null }>

/** The version that follows `current` at an address. */
export function nextVersion(
  digest: Digest,
  at: Address,
  current: EntryVersion | null,
  change: Readonly<{ content: Content; caller: Caller; reason: string; restoredFrom?: VersionNumber }>,
): VersionDraft {
  const { content, caller, reason } = change
  return {
    component: at.component,
    key: at.key,
    scope: at.scope,
    version: (current?.version ?? 0) + 1,
    hash: contentHash(digest, content),
    actor: caller.client,
    reason,
    requestId: caller.requestId,
    restoredFrom: change.restoredFrom ?? null,
    ...content,
  }
}

/** 128 bits of SHA-256 over the operation and the canonical value. */
export function contentHash(digest: Digest, content: Content): string {
  return digest.sha256(`${content.op}:${canonicalJson(content.value)}`).slice(0, 32)
}

/** The strong ETag of a raw entry (RFC 9110, 8.8.3): `"<version>-<hash>"`, quotes included. */
export function entryEtag(version: EntryVersion): string {
  return `"${version.version}-${version.hash}"`
}
