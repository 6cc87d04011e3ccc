import type { DirectoryUser, UserDirectory } from '@cbp/core'
import { okAsync } from 'neverthrow'

/**
 * A User Service for development: everybody is an active user, except whose id begins with `suspended-`, `closed-` or
 * `unknown-`.
 */
export const sandboxUserDirectory: UserDirectory = { find: (userId) => okAsync(userOf(userId)) }

function userOf(userId: string): DirectoryUser | null {
  if (userId === '' || userId.startsWith('unknown-')) return null
  if (userId.startsWith('suspended-')) return { userId, status: 'suspended' }
  return { userId, status: userId.startsWith('closed-') ? 'closed' : 'active' }
}
