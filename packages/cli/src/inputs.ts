import type { Instant, Uuid } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { exitCodes, type Failure, usageFailure } from './output/failure.ts'
import { plain } from './output/style.ts'

const instantForm = /^(\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i

/** RFC 3339; a day that its month does not have is none, where `Date.parse` would go on into the next month. */
export function parseInstant(text: string): Instant | null {
  const [, local = ''] = instantForm.exec(text) ?? []
  const asWritten = Date.parse(`${local}Z`)
  if (Number.isNaN(asWritten) || !new Date(asWritten).toISOString().startsWith(local.toUpperCase())) return null
  return Date.parse(text)
}

/** An instant that an option may name. */
export function readInstant(name: string, text: string | undefined): Result<Instant | null, Failure> {
  if (text === undefined) return ok(null)
  const instant = parseInstant(text)
  if (instant !== null) return ok(instant)
  return err(usageFailure('invalid-instant', `${name} takes an instant such as 2026-01-31T12:00:00Z, not "${plain(text)}".`))
}

const uuidForm = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/**
 * An id that something was given: what is not of the form of one is the name of nothing.
 *
 * @param kind what it should be the id of, e.g. `payment`
 * @param list the command that lists them
 */
export function readId(kind: string, text: string, list: string): Result<Uuid, Failure> {
  if (uuidForm.test(text)) return ok(text.toLowerCase() as Uuid)
  return err({
    exitCode: exitCodes.notFound,
    code: `${kind.replaceAll(' ', '-')}-not-found`,
    detail: `There is no ${kind} ${plain(text)}: an id is a UUID.`,
    mend: `List them with: ${list}`,
  })
}

/** An id that an option may name. */
export function readOptionalId(name: string, text: string | undefined): Result<Uuid | null, Failure> {
  if (text === undefined) return ok(null)
  if (uuidForm.test(text)) return ok(text.toLowerCase() as Uuid)
  return err(usageFailure('invalid-id', `${name} takes an id as it was printed, not "${plain(text)}".`))
}

/** Blanks, control characters and others that leave nothing to see. */
const nothingToRead = /^[\p{White_Space}\p{C}]*$/u

/**
 * Words for people to read later, without the blanks around them.
 *
 * @param limit in UTF-16 code units
 */
export function readText(name: string, given: string, limit: number, purpose: string): Result<string, Failure> {
  const text = given.trim()
  const code = `invalid-${name.replace(/^--/, '')}`
  if (!text.isWellFormed()) return err(usageFailure(code, `${name} is not well-formed Unicode.`))
  if (nothingToRead.test(text)) return err(usageFailure(code, `${name} is empty; ${purpose}.`))
  if (text.length > limit) return err(usageFailure(code, `${name} is longer than ${limit} characters.`))
  return ok(text)
}
