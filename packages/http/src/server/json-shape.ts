/** What a text of JSON would cost or hide, found before it is parsed; `null` when it is harmless, or no JSON at all. */
export type ShapeFault = 'too-deep' | 'too-many-members' | 'repeated-member'

export type ShapeLimits = Readonly<{
  /** Objects and arrays within each other. */
  depth: number
  /** Members and items in all. */
  members: number
}>

const quote = 0x22
const backslash = 0x5c

/**
 * Walks over the text once without building anything. Of members with one name in one object parsers take the first or the
 * last as they please, so whoever checks and whoever acts could see different ones (RFC 8259, section 4; RFC 7519, section 4).
 */
export function shapeFault(text: string, limits: ShapeLimits): ShapeFault | null {
  // The names of each open object; `null` for an array.
  const open: (Set<string> | null)[] = []
  let members = 0
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = endOfString(text, at)
        if (end === -1) return null
        const names = open.at(-1)
        if (names !== undefined && names !== null && isName(text, end)) {
          const name = nameOf(text, at, end)
          if (names.has(name)) return 'repeated-member'
          names.add(name)
        }
        at = end
        break
      }
      case 0x7b:
      case 0x5b:
        open.push(text.charCodeAt(at) === 0x7b ? new Set() : null)
        if (open.length > limits.depth) return 'too-deep'
        members += 1
        break
      case 0x7d:
      case 0x5d:
        open.pop()
        break
      case 0x2c:
        members += 1
        break
      default:
    }
    if (members > limits.members) return 'too-many-members'
  }
  return null
}

/** Where the quote that ends a string stands; -1 when there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before -= 1
    if ((end - before) % 2 === 1) return end
  }
  return -1
}

/** Whether a colon follows, with nothing but white space before it. */
function isName(text: string, end: number): boolean {
  let next = end + 1
  while (isSpace(text.charCodeAt(next))) next += 1
  return text.charCodeAt(next) === 0x3a
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09
}

/** A name may be written in several ways: `"a"` and `"\\u0061"` are one. */
function nameOf(text: string, start: number, end: number): string {
  const written = text.slice(start + 1, end)
  if (!written.includes('\\')) return written
  try {
    return JSON.parse(text.slice(start, end + 1)) as string
  } catch {
    return written
  }
}
