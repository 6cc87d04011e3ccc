/** Any JSON value (RFC 8259). */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export type JsonObject = { readonly [member: string]: JsonValue }

export function isJsonObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Canonical JSON: members sorted by UTF-16 code units, no white space (RFC 8785). */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] as JsonValue)}`)
  return `{${members.join(',')}}`
}

export function jsonEquals(left: JsonValue, right: JsonValue): boolean {
  return left === right || canonicalJson(left) === canonicalJson(right)
}

/** The length in bytes of `text` in UTF-8; a lone surrogate counts as the replacement character. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    bytes += 1
    if (unit < 0x800) continue
    bytes += 1
    const isPair = unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))
    // A pair is 4 bytes for two code units: one of them is counted, skip the other.
    if (isPair) index += 1
  }
  return bytes
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000
}

/** Makes a JSON object of pairs; safe for every member name, `__proto__` included. */
export function jsonObject(members: Iterable<readonly [string, JsonValue]>): JsonObject {
  return Object.fromEntries(members)
}

/** Appends one reference token to a JSON Pointer (RFC 6901). */
export function pointerTo(parent: string, token: string | number): string {
  return `${parent}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** One difference between two JSON values. `pointer` is a JSON Pointer (RFC 6901). */
export type JsonDifference =
  | Readonly<{ op: 'add'; pointer: string; after: JsonValue }>
  | Readonly<{ op: 'remove'; pointer: string; before: JsonValue }>
  | Readonly<{ op: 'replace'; pointer: string; before: JsonValue; after: JsonValue }>

/**
 * What changed from `before` to `after`, member by member; `undefined` is absence.
 * Arrays of one length are compared item by item, others are replaced whole.
 */
export function diffJson(before: JsonValue | undefined, after: JsonValue | undefined, pointer = ''): readonly JsonDifference[] {
  if (before === undefined) return after === undefined ? [] : [{ op: 'add', pointer, after }]
  if (after === undefined) return [{ op: 'remove', pointer, before }]
  if (jsonEquals(before, after)) return []
  if (isJsonObject(before) && isJsonObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return names.flatMap((name) => diffJson(member(before, name), member(after, name), pointerTo(pointer, name)))
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item: JsonValue, index) => diffJson(item, after[index] as JsonValue, pointerTo(pointer, index)))
  }
  return [{ op: 'replace', pointer, before, after }]
}

/** An own member, so that `constructor` and its like are not found on every object. */
export function member(value: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined
}
