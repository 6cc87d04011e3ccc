import { findCards, findIbans } from './masking-numbers.ts'
import { mayNeedMask } from './masking-prefilter.ts'

/** What a piece of text is; the mask names it. */
export type MaskedAs = 'secret' | 'card' | 'account' | 'email'

export type Found = Readonly<{ from: number; to: number; what: MaskedAs }>

/** A way to find secrets in text. Each looks at every character a bounded number of times, whatever the text. */
type Detector = (text: string) => readonly Found[]

const detectors: readonly Detector[] = [
  findPrivateKeys,
  findTokens,
  secretsBy(/cbp_[a-z]{1,16}_([0-9A-Za-z_-]{16,})/g, /\d/),
  secretsBy(/whsec_([A-Za-z0-9+/=_-]+)/g),
  secretsBy(/(?:bearer|basic)[ \t]{1,8}([A-Za-z0-9._~+/=-]{8,})/gi, /[0-9A-Z._~+/=-]/),
  secretsBy(/:\/\/([^\s/?#]*)@/g),
  // A password with a slash that should have been written %2F.
  secretsBy(/:\/\/[^\s/?#:@]{0,64}:([^\s?#@]{1,200})@/g),
  secretsBy(
    /(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key)"? {0,2}(?:=|":) {0,2}"?((?:\\.|[^\s"'&;,)}\]\\])+)/gi,
    /^(?!\[masked$).*[^*.]/,
  ),
  // Behind a colon there may be prose too, which has no digits.
  secretsBy(/(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key)['"]? {0,2}: {0,2}['"]?((?:\\.|[^\s"'&;,)}\]\\])+)/gi, /\d/),
  findEmails,
  findCards,
  findIbans,
]

/** The text without what is secret or personal in it; what it is stands in its place. */
export function maskText(text: string): string {
  if (!mayNeedMask(text)) return text
  const found = detectors.flatMap((detect) => detect(text))
  return found.length === 0 ? text : withMasks(text, found)
}

export function maskOf(what: string): string {
  return `[masked ${what}]`
}

/** What overlaps is masked as one. */
function withMasks(text: string, found: readonly Found[]): string {
  const sorted = found.toSorted((left, right) => left.from - right.from || right.to - left.to)
  let masked = ''
  let end = 0
  for (const { from, to, what } of sorted) {
    if (from >= end) masked += text.slice(end, from) + maskOf(what)
    end = Math.max(end, to)
  }
  return masked + text.slice(end)
}

/** Masks the group of the pattern; `plausible`: what it has to have besides. */
function secretsBy(pattern: RegExp, plausible: RegExp | null = null): Detector {
  return (text) => {
    const found: Found[] = []
    for (const match of text.matchAll(pattern)) {
      const secret = match[1] ?? ''
      if (plausible !== null && !plausible.test(secret)) continue
      const from = match.index + match[0].lastIndexOf(secret)
      found.push({ from, to: from + secret.length, what: 'secret' })
    }
    return found
  }
}

/** PEM (RFC 7468), to its end or to that of the text: a key that was cut off is one still. */
function findPrivateKeys(text: string): readonly Found[] {
  const found: Found[] = []
  for (let end = 0; ; ) {
    const label = text.indexOf('PRIVATE KEY-----', end)
    if (label < 0) return found
    const begin = text.lastIndexOf('-----BEGIN', label)
    const from = begin >= end && label - begin < 64 ? begin : label
    const close = text.indexOf('PRIVATE KEY-----', label + 1)
    end = close < 0 ? text.length : close + 'PRIVATE KEY-----'.length
    found.push({ from, to: end, what: 'secret' })
  }
}

const tokenRuns = /[A-Za-z0-9_.-]{16,}/g

/** JSON Web Tokens (RFC 7519): the base64url of an object begins with eyJ. Whatever is joined to one goes with it. */
function findTokens(text: string): readonly Found[] {
  const found: Found[] = []
  for (const { 0: run, index } of text.matchAll(tokenRuns)) {
    const start = run.indexOf('eyJ')
    if (start >= 0 && run.indexOf('.', start + 8) > 0) found.push({ from: index + start, to: index + run.length, what: 'secret' })
  }
  return found
}

const mostOfLocalPart = 64
const mostOfDomain = 253
/** What cannot stand in a local part without quotes, or would not be told from its surroundings. */
const notInLocalPart = /[\s"(),:;<>@[\]\\/=&?#]|\p{Cc}/u
const inDomain = /[\p{L}\p{N}.-]/u
const plausibleDomain = /\.[\p{L}\p{N}-]*\p{L}/u
const signs = /@|%40/g

/** E-mail addresses (RFC 5321), read outwards from their sign; that of a URL has it encoded. */
function findEmails(text: string): readonly Found[] {
  const found: Found[] = []
  for (const { 0: sign, index } of text.matchAll(signs)) {
    let from = index
    while (from > 0 && index - from < mostOfLocalPart && !notInLocalPart.test(text.charAt(from - 1))) from -= 1
    let to = index + sign.length
    while (to < text.length && to - index <= mostOfDomain && inDomain.test(text.charAt(to))) to += 1
    if (from < index && plausibleDomain.test(text.slice(index + sign.length, to))) found.push({ from, to, what: 'email' })
  }
  return found
}
