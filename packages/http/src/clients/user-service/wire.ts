import type { DirectoryUser } from '@cbp/core'
import { z } from '@hono/zod-openapi'

/** An answer may have members that are not known here. */
export const userBody: z.ZodType<DirectoryUser> = z
  .object({
    userId: z.string().openapi({ description: 'The id that was asked for', example: 'user-1' }),
    status: z.enum(['active', 'suspended', 'closed']).openapi({ description: 'Only who is active may act' }),
  })
  .openapi('User')

/** `null` when the text is no answer about the user that was asked for. */
export function parseUser(text: string, asked: string): DirectoryUser | null {
  const parsed = userBody.safeParse(parseJson(text))
  return parsed.success && parsed.data.userId === asked ? { userId: asked, status: parsed.data.status } : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The path of a user, or `null` for an id that no path can carry: no user has it. */
export function pathOf(userId: string): string | null {
  if (userId === '' || userId === '.' || userId === '..' || !userId.isWellFormed()) return null
  return `/users/${encodeURIComponent(userId)}`
}
