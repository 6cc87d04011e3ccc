import { type Instant, type Page, reasonLimit, type Uuid } from '@cbp/core'
import { z } from '@hono/zod-openapi'

const instantForm = /^(\d{4}-\d{2}-\d{2})[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+ -](?:[01]\d|2[0-3]):[0-5]\d)$/

/** Reads an instant of RFC 3339, whose `+` may have become a blank; `NaN` for what is none. A day that no month has rolls over in Date.parse. */
export function readInstant(text: string): number {
  const day = instantForm.exec(text)?.[1]
  if (day === undefined) return Number.NaN
  const midnight = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return Number.NaN
  return Date.parse(text.replace(/ (?=\d{2}:\d{2}$)/, '+'))
}

/** An instant of RFC 3339. */
export function instantParameter(description: string): z.ZodType<Instant | undefined, string | undefined> {
  return z
    .string()
    .transform((text, context): Instant => {
      const instant = readInstant(text)
      if (!Number.isNaN(instant)) return instant as Instant
      context.addIssue({
        code: 'custom',
        message: 'An RFC 3339 instant such as 2026-01-31T09:00:00Z is expected.',
        params: { code: 'invalid-instant' },
      })
      return z.NEVER
    })
    .optional()
    .openapi({ type: 'string', format: 'date-time', description, example: '2026-01-31T09:00:00Z' })
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function readUuid(text: string): Uuid | null {
  const id = text.toLowerCase()
  return uuidForm.test(id) ? (id as Uuid) : null
}

/** An id in a path or query; in capitals it is the same id (RFC 9562). */
export function idParameter(description: string): z.ZodType<Uuid, string> {
  return z
    .string()
    .transform((text, context): Uuid => {
      const id = readUuid(text)
      if (id !== null) return id
      context.addIssue({ code: 'custom', message: 'A UUID is expected.', params: { code: 'invalid-id' } })
      return z.NEVER
    })
    .openapi({ type: 'string', format: 'uuid', description, example: '01890a5d-ac96-774b-bcce-b302099a8057' })
}

export const flagParameter: z.ZodType<boolean, string | undefined> = z
  .enum(['true', 'false'])
  .optional()
  .transform((text) => text === 'true')
  .openapi({ type: 'string', enum: ['true', 'false'], default: 'false' })

/** A whole number within bounds, from its digits. */
export function numberParameter(min: number, max: number, description: string): z.ZodType<number, string> {
  return z
    .string()
    .transform((text, context): number => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
      if (value >= min && value <= max) return value
      context.addIssue({ code: 'custom', message: `A whole number from ${min} to ${max} is expected.`, params: { code: 'out-of-range' } })
      return z.NEVER
    })
    .openapi({ type: 'integer', minimum: min, maximum: max, description })
}

const defaultLimit = 100

export const limitParameter: z.ZodType<number, string | undefined> = numberParameter(1, 500, 'Items on a page')
  .optional()
  .transform((limit) => limit ?? defaultLimit)
  .openapi({ type: 'integer', minimum: 1, maximum: 500, default: defaultLimit, description: 'Items on a page' })

/** An opaque place in one kind of list. */
export function pageCursor<T>(kind: string, read: (position: string) => T | null): z.ZodType<T | undefined, string | undefined> {
  return z
    .string()
    .transform((text, context): T => {
      const decoded = Buffer.from(text, 'base64url').toString('utf8')
      const position =
        decoded.startsWith(`${kind}:`) && formatPageCursor(kind, decoded.slice(kind.length + 1)) === text
          ? read(decoded.slice(kind.length + 1))
          : null
      if (position !== null) return position
      context.addIssue({ code: 'custom', message: 'The cursor is not one that this list gave out.', params: { code: 'invalid-cursor' } })
      return z.NEVER
    })
    .optional()
    .openapi({ type: 'string', description: 'nextCursor of the page before' })
}

export function formatPageCursor(kind: string, position: string | number): string {
  return Buffer.from(`${kind}:${position}`, 'utf8').toString('base64url')
}

/** Where a list goes on whose places are ids. */
export function idCursor(kind: string): z.ZodType<Uuid | undefined, string | undefined> {
  return pageCursor(kind, (position) => (uuidForm.test(position) ? (position as Uuid) : null))
}

const visible = /[^\p{Cc}\p{Cf}\p{Z}]/u

/** Why something is written: text in which there is something to read. */
export const reason: z.ZodString = z
  .string()
  .min(1)
  .max(reasonLimit)
  .refine((text) => !text.isWellFormed() || visible.test(text), {
    message: 'The reason has nothing in it to read.',
    params: { code: 'blank' },
  })
  .refine((text) => text.isWellFormed(), {
    message: 'The reason holds half of a surrogate pair, which is no text.',
    params: { code: 'not-well-formed' },
  })
  .openapi({ description: 'Why; kept with the version', example: 'Raised for the launch' })

/** A page of a list as it is sent. */
export function pageBody<Item, Position extends string | number>(
  kind: string,
  { items, next }: Page<Item, Position>,
  bodyOf: (item: Item) => unknown,
): Readonly<{ items: readonly unknown[]; nextCursor: string | null }> {
  return { items: items.map(bodyOf), nextCursor: next === null ? null : formatPageCursor(kind, next) }
}

/** The schema of such a page. */
export function pageOf(item: z.ZodType): z.ZodType {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() })
}
