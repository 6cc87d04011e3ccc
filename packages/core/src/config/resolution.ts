import { isJsonObject, type JsonObject, type JsonValue, jsonObject, member, pointerTo } from '../kernel/json.ts'
import { type Revision, zeroRevision } from '../kernel/unit-of-work.ts'
import type { Scope } from './address.ts'
import { type EntryVersion, isLive, type VersionNumber } from './entry.ts'

/** Where a part of a resolved value comes from. `pointer` is a JSON Pointer (RFC 6901) into the value. */
export type Provenance = Readonly<{
  pointer: string
  /** `null` for the default shipped with the service. */
  scope: Scope | null
  version: VersionNumber
  revision: Revision
}>

/** A value and its origin, before it is given an address. */
export type Resolution = Readonly<{
  value: JsonValue
  provenance: readonly Provenance[]
  /** The version of the most specific entry that counts; 0 when only the shipped default does. */
  version: VersionNumber
}>

type Layer = Readonly<{ value: JsonValue; source: Omit<Provenance, 'pointer'> }>

/**
 * L3: merges the shipped default and the entries of a scope chain, low to high. Objects deep-merge, arrays and scalars
 * replace, `null` is a value, a tombstone re-inherits.
 *
 * @param chain the newest version at each scope of the chain, from `/` down; tombstones and gaps allowed
 * @returns `null` when nothing counts
 */
export function resolve(shipped: JsonValue | undefined, chain: readonly EntryVersion[]): Resolution | null {
  const entries = chain.filter(isLive)
  const layers: Layer[] = entries.map(({ value, scope, version, revision }) => ({ value, source: { scope, version, revision } }))
  if (shipped !== undefined) layers.unshift({ value: shipped, source: { scope: null, version: 0, revision: zeroRevision } })
  if (layers.length === 0) return null
  const { value, provenance } = mergeLayers(layers, '')
  return { value, provenance, version: entries.at(-1)?.version ?? 0 }
}

/** The newest revision in a chain, tombstones included: the last change that could have shaped the resolved value. */
export function newestRevision(chain: readonly EntryVersion[]): Revision {
  return chain.reduce<Revision>((newest, { revision }) => (revision > newest ? revision : newest), zeroRevision)
}

function mergeLayers(layers: readonly Layer[], pointer: string): { value: JsonValue; provenance: readonly Provenance[] } {
  const counting = layersThatCount(layers)
  const top = counting.at(-1) as Layer
  const objects = counting as readonly (Layer & { value: JsonObject })[]
  const names = counting.length === 1 ? [] : [...new Set(objects.flatMap(({ value }) => Object.keys(value)))]
  if (names.length === 0) return { value: top.value, provenance: [{ pointer, ...top.source }] }
  const members = names.map((name) => {
    const below = objects.flatMap(({ value, source }): readonly Layer[] => {
      const found = member(value, name)
      return found === undefined ? [] : [{ value: found, source }]
    })
    return [name, mergeLayers(below, pointerTo(pointer, name))] as const
  })
  return {
    value: jsonObject(members.map(([name, merged]) => [name, merged.value])),
    provenance: members.flatMap(([, merged]) => merged.provenance),
  }
}

/** The highest layer alone unless it is an object; else with it every object below, down to the first that is none. */
function layersThatCount(layers: readonly Layer[]): readonly Layer[] {
  let first = layers.length - 1
  if (isJsonObject(topValue(layers, first))) {
    while (first > 0 && isJsonObject(topValue(layers, first - 1))) first -= 1
  }
  return layers.slice(Math.max(first, 0))
}

function topValue(layers: readonly Layer[], index: number): JsonValue {
  return layers[index]?.value ?? null
}
