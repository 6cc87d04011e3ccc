import { type InputFault, isNumberKept } from '@cbp/core'
import { type ShapeFault, shapeFault } from './json-shape.ts'
import { escapeToken } from './pointer.ts'

/** A JSON text, with a fault for each number that would be kept as another one; or why it is no JSON. */
export type ParsedJson = Readonly<{ value: unknown; lossy: readonly InputFault[] }> | Readonly<{ fault: string }>

const decoder = new TextDecoder('utf-8', { fatal: true })
const maybeLossy = /\d{16}|\d[eE]/
/** More of one kind tell nothing new. */
const lossyLimit = 50
/** More than any value of configuration has, with room for the body around it. */
const shapeLimits = { depth: 100, members: 50_000 }

const shapeTexts: Readonly<Record<ShapeFault, string>> = {
  'too-deep': `The body is nested deeper than ${shapeLimits.depth} levels.`,
  'too-many-members': `The body has more than ${shapeLimits.members} members.`,
  'repeated-member': 'The body names a member of one object twice; which of the two counts would be a guess.',
}

export function parseJson(bytes: Uint8Array): ParsedJson {
  if (bytes.length === 0) return { fault: 'The body is empty; it has to be a JSON object.' }
  try {
    const text = decoder.decode(bytes)
    const shape = shapeFault(text, shapeLimits)
    if (shape !== null) return { fault: shapeTexts[shape] }
    if (!maybeLossy.test(text)) return { value: JSON.parse(text), lossy: [] }
    return parseExactly(text)
  } catch (error) {
    if (error instanceof SyntaxError) return { fault: error.message }
    return { fault: 'The body is not UTF-8.' }
  }
}

type Place = Readonly<{ holder: object; name: string }>

/** Numbers that a double cannot hold would silently be stored as other numbers. */
function parseExactly(text: string): ParsedJson {
  const lossy: (Place & Readonly<{ source: string }>)[] = []
  const value: unknown = JSON.parse(text, function (this: object, name: string, item: unknown, context?: { source?: string }) {
    const source = context?.source
    if (typeof item !== 'number' || source === undefined || isNumberKept(item, source)) return item
    if (lossy.length < lossyLimit) lossy.push({ holder: this, name, source })
    return item
  })
  if (lossy.length === 0) return { value, lossy: [] }
  const places = placesIn(value)
  const faults = lossy.map(({ holder, name, source }) => ({
    pointer: pointerTo({ holder, name }, places),
    code: 'number-not-representable',
    message: `The number ${source.slice(0, 40)} cannot be kept exactly; send it as a string.`,
  }))
  return { value, lossy: faults }
}

/** Where each object and array stands. */
function placesIn(root: unknown): ReadonlyMap<object, Place> {
  const places = new Map<object, Place>()
  const open: unknown[] = [root]
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    if (typeof holder !== 'object' || holder === null) continue
    for (const [name, item] of Object.entries(holder)) {
      if (typeof item !== 'object' || item === null) continue
      places.set(item, { holder, name })
      open.push(item)
    }
  }
  return places
}

function pointerTo(place: Place, places: ReadonlyMap<object, Place>): string {
  const tokens: string[] = []
  for (let at: Place | undefined = place; at !== undefined; at = places.get(at.holder)) tokens.unshift(escapeToken(at.name))
  const [first] = tokens
  return tokens.length === 1 && first === '' ? '#' : `#/${tokens.join('/')}`
}
