import { errAsync, okAsync } from 'neverthrow'
import type { DirectoryUser, UserDirectory } from '../ports/user-directory.ts'

/** `away`: it does not answer. Whoever was not `put` does not exist. */
export type FakeUserDirectory = UserDirectory & Readonly<{ put: (user: DirectoryUser) => void; goAway: () => void; comeBack: () => void }>

export function fakeUserDirectory(...users: readonly DirectoryUser[]): FakeUserDirectory {
  const known = new Map(users.map((user) => [user.userId, user]))
  let isAway = false
  return {
    find: (userId) =>
      isAway ? errAsync({ kind: 'user-directory-unavailable', reason: 'it is away' }) : okAsync(known.get(userId) ?? null),
    put: (user) => {
      known.set(user.userId, user)
    },
    goAway: () => {
      isAway = true
    },
    comeBack: () => {
      isAway = false
    },
  }
}
