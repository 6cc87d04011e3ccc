import { describe, expect, it } from 'vitest'
import { type Open, over } from '../../kernel/testing/harness.ts'
import { expectOk } from '../../testing/store-units.ts'
import type { DirectoryUser, UserDirectory } from '../ports/user-directory.ts'

/** A directory, one of its users of each status, and ids that it does not know. */
export type UserDirectoryHarness = Readonly<{
  userDirectory: UserDirectory
  users: Readonly<Record<DirectoryUser['status'], string>>
  unknown: readonly string[]
  /** From now on it does not answer; absent where that cannot be. */
  goAway?(): void | Promise<void>
}>

/** The laws of `UserDirectory`. */
export function userDirectoryContract(open: Open<UserDirectoryHarness>): void {
  describe('UserDirectory', () => {
    it.each(['active', 'suspended', 'closed'] as const)('tells that a user is %s', (status) =>
      over(open, async ({ userDirectory, users }) => {
        expect(await expectOk(userDirectory.find(users[status]))).toEqual({ userId: users[status], status })
      })(),
    )

    it(
      'answers null for whom it does not know',
      over(open, async ({ userDirectory, unknown }) => {
        for (const userId of unknown) expect(await expectOk(userDirectory.find(userId))).toBeNull()
      }),
    )

    it(
      'answers many at once',
      over(open, async ({ userDirectory, users }) => {
        const asked = Array.from({ length: 50 }, (_, index) => Object.values(users)[index % 3] ?? '')
        const found = await Promise.all(asked.map((userId) => expectOk(userDirectory.find(userId))))
        expect(found.map((user) => user?.userId)).toEqual(asked)
      }),
    )

    it(
      'is unavailable while it does not answer, and says nothing of users then',
      over(open, async ({ userDirectory, users, goAway }) => {
        if (goAway === undefined) return
        await goAway()
        const found = await userDirectory.find(users.active)
        expect(found._unsafeUnwrapErr()).toMatchObject({ kind: 'user-directory-unavailable' })
        expect(JSON.stringify(found._unsafeUnwrapErr())).not.toContain(users.active)
      }),
    )
  })
}
