import { type Problem, problem } from '../problems/problem.ts'
import { malformedTags, parseEntityTags } from './entity-tags.ts'
import type { Exchange } from './exchange.ts'

/** The versions that If-Match names; `null` stands for a tag that no version has, a weak one included. */
export type VersionMatch = readonly (number | null)[] | 'any'

const tagForm = /^"([1-9]\d{0,14})"$/

/** The strong ETag of what counts its versions. */
export function versionTag(version: number): string {
  return `"${version}"`
}

/** Reads If-Match (RFC 9110, 13.1.1); `null` when there is none. */
export function readVersionMatch(exchange: Exchange): VersionMatch | Problem | null {
  const field = exchange.header('if-match')
  if (field === undefined) return null
  const tags = parseEntityTags(field)
  if (tags === null) return malformedTags('if-match')
  if (tags === '*') return 'any'
  return tags.map((tag) => {
    const digits = tagForm.exec(tag)?.[1]
    return digits === undefined ? null : Number(digits)
  })
}

export function requireVersionMatch(exchange: Exchange): VersionMatch | Problem {
  return readVersionMatch(exchange) ?? problem('precondition-required', 'The change carries no If-Match.')
}

export function isMatched(match: VersionMatch, version: number): boolean {
  return match === 'any' || match.includes(version)
}
