import { timestamp, type UsersService, type VerifiedUser } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import { problem } from '../problems/problem.ts'
import { retryAfter } from '../problems/problem-table.ts'
import { answerWith, encodedJson } from '../server/answer.ts'
import { type Endpoint, endpoint, json } from '../server/endpoint.ts'

const inactive = z
  .strictObject({ active: z.literal(false) })
  .openapi({ description: 'The credential is refused, or its user is suspended, closed or unknown' })

const active = z.strictObject({
  active: z.literal(true),
  userId: z.string().nullable().openapi({ description: 'The `sub` of the token; null where it acts for no user', example: 'user-1' }),
  permissions: z.array(z.string()).openapi({ description: 'What it allows here, in alphabetical order', example: ['payments:read'] }),
  expiresAt: z.iso.datetime({ precision: 3 }).openapi({ description: 'When the credential ends' }),
})

const verified = z.discriminatedUnion('active', [active, inactive]).openapi('VerifiedUser')

/** Never kept: whether somebody may act is asked to be known now. */
const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', vary: 'Authorization' }

export function userEndpoints(users: Pick<UsersService, 'verify'>): readonly Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/users/verify',
      permission: 'any-bearer',
      confinement: 'self',
      summary: 'Whether the bearer may act, and for whom',
      description: 'As token introspection (RFC 7662) has it: of a credential that is refused it tells no more than that it is not active.',
      tag: 'Users',
      successes: { 200: { description: 'What the credential is worth now', content: json(verified) } },
      problems: ['user-directory-unavailable'],
      handle: async (_input, { identity }) => {
        if (identity === null) return answerWith(200, headers, encodedJson({ active: false }))
        const found = await users.verify(identity)
        if (found.isErr()) return problem('user-directory-unavailable', 'The User Service does not answer.', { headers: retryAfter(2_000) })
        return answerWith(200, headers, encodedJson(bodyOf(found.value)))
      },
    }),
  ]
}

function bodyOf(user: VerifiedUser): z.input<typeof verified> {
  if (!user.active) return { active: false }
  const { userId, permissions, expiresAt } = user
  return { active: true, userId, permissions: [...permissions], expiresAt: timestamp(expiresAt) }
}
