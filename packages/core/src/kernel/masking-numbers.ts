import type { Found } from './masking-text.ts'

/** First digits by payment scheme, and the lengths that its numbers have (ISO/IEC 7812; as the schemes publish them). */
const schemes: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^3(?:0[0-5]|[689])/, [14, 15, 16, 17, 18, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^220[0-4]/, [16, 17, 18, 19]],
  [/^6/, [13, 14, 15, 16, 17, 18, 19]],
  [/^(?:50|5[6-8])/, [13, 14, 15, 16, 17, 18, 19]],
  [/^8[12]/, [16]],
]
const fewestDigits = 13
const mostDigits = 19

/** Runs of digits, single spaces or hyphens between them. Greedy over what cannot overlap: each character is seen a bounded number of times. */
const digitRuns = /\d(?:[ \-\u00a0]?\d){12,}/g
const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const hexDigit = /[0-9a-f]/i
/** What hashes and trace ids look like; digits in them are no number. */
const hexLengths: ReadonlySet<number> = new Set([32, 40, 64])

/**
 * Numbers of payment cards: of a known scheme wherever they stand, also between other digits; anything else that passes
 * Luhn's check (ISO/IEC 7812-1) only where it stands alone. Instants in milliseconds, which begin with 1 until 2033, are none.
 */
export function findCards(text: string): readonly Found[] {
  const found: Found[] = []
  for (const run of text.matchAll(digitRuns)) {
    const places = digitPlaces(run[0], run.index)
    const digits = run[0].replace(/\D/g, '')
    const wholeRun = standsAlone(text, run.index, run[0].length) && digits.length <= mostDigits && !isInstant(digits) && passesLuhn(digits)
    if (wholeRun) found.push({ from: run.index, to: run.index + run[0].length, what: 'card' })
    else found.push(...cardsWithin(digits, places).filter((card) => !isWithinId(text, card)))
  }
  return found
}

function cardsWithin(digits: string, places: readonly number[]): readonly Found[] {
  const found: Found[] = []
  for (let from = 0; from + fewestDigits <= digits.length; from += 1) {
    const start = digits.slice(from, from + mostDigits)
    const lengths = schemes.find(([prefix]) => prefix.test(start))?.[1] ?? []
    // The longest first: what it leaves uncovered would tell of the rest.
    const length = lengths.findLast((each) => each <= start.length && passesLuhn(start.slice(0, each)))
    if (length !== undefined) found.push({ from: places[from] as number, to: (places[from + length - 1] as number) + 1, what: 'card' })
  }
  return found
}

function digitPlaces(run: string, offset: number): readonly number[] {
  const places: number[] = []
  for (let index = 0; index < run.length; index += 1) if (isDigit(run.charCodeAt(index))) places.push(offset + index)
  return places
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

const wordCharacter = /[\p{L}\p{N}_]/u

function standsAlone(text: string, from: number, length: number): boolean {
  return !wordCharacter.test(text.charAt(from - 1)) && !wordCharacter.test(text.charAt(from + length))
}

function isInstant(digits: string): boolean {
  return digits.length === 13 && digits.startsWith('1')
}

/** Within a UUID, or a run of hexadecimal digits of the length of a hash. */
function isWithinId(text: string, { from, to }: Found): boolean {
  const near = text.slice(Math.max(0, from - 36), to + 36)
  const start = from - Math.max(0, from - 36)
  for (const uuid of near.matchAll(uuids)) if (uuid.index <= start && uuid.index + uuid[0].length >= start + to - from) return true
  let left = from
  let right = to
  while (left > 0 && from - left <= 64 && hexDigit.test(text.charAt(left - 1))) left -= 1
  while (right < text.length && right - to <= 64 && hexDigit.test(text.charAt(right))) right += 1
  const run = text.slice(left, right)
  return hexLengths.has(run.length) && /^[0-9a-f]+$/.test(run) && /[a-f]/.test(run)
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48
    const doubled = digit * 2
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** Length of an IBAN by country (SWIFT IBAN registry, release 99). */
const ibanLengths: ReadonlyMap<string, number> = new Map(
  [
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18',
    'FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20',
    'LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24',
    'SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30',
  ]
    .join(' ')
    .split(' ')
    .map((each) => [each.slice(0, 2), Number(each.slice(2))]),
)
const ibanStarts = /[A-Z](?=[A-Z]\d\d)/g
const ibanCharacter = /[0-9A-Z]/

/** Account numbers (ISO 13616) in any surroundings: country, length and check digits fit; single spaces and hyphens count for nothing. */
export function findIbans(text: string): readonly Found[] {
  const found: Found[] = []
  for (const { index } of text.matchAll(ibanStarts)) {
    const length = ibanLengths.get(text.slice(index, index + 2))
    if (length === undefined) continue
    const taken = takeCharacters(text, index, length)
    if (taken !== null && remainderOf97(taken.characters) === 1) found.push({ from: index, to: taken.end, what: 'account' })
  }
  return found
}

function takeCharacters(text: string, from: number, count: number): Readonly<{ characters: string; end: number }> | null {
  let characters = ''
  let index = from
  for (; characters.length < count; index += 1) {
    const character = text.charAt(index)
    if (ibanCharacter.test(character)) characters += character
    else if ((character !== ' ' && character !== '-' && character !== '\u00a0') || !ibanCharacter.test(text.charAt(index + 1))) return null
  }
  return { characters, end: index }
}

/** ISO 7064, MOD 97-10: the first four go to the end, letters count 10 to 35. */
function remainderOf97(iban: string): number {
  let remainder = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder
}
