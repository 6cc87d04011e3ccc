import { errAsync, ok, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import type { Identity } from '../access/index.ts'
import { fakeClock } from '../kernel/testing/fake-clock.ts'
import { fakeDigest } from '../kernel/testing/fake-digest.ts'
import type { UserDirectory } from './ports/user-directory.ts'
import { fakeUserDirectory } from './testing/fake-user-directory.ts'
import { usersService } from './users-service.ts'
import { standingKeptMs } from './verify-user.ts'

const identity: Identity = {
  client: 'issuer|shop',
  userId: 'user-1',
  permissions: new Set(['payments:write', 'openid', 'config:read']),
  configScopes: null,
  expiresAt: 1_000,
}

function over(userDirectory: UserDirectory, clock = fakeClock()): ReturnType<typeof usersService> {
  return usersService({ userDirectory, clock, digest: fakeDigest() })
}

/** Counts what it is asked, and answers when it is told to. */
function slowDirectory(): Readonly<{ directory: UserDirectory; asked: string[]; answer: () => void }> {
  const asked: string[] = []
  let answer = (): void => {}
  const directory: UserDirectory = {
    find: (userId) => {
      asked.push(userId)
      return new ResultAsync(new Promise((resolve) => (answer = () => resolve(ok({ userId, status: 'active' })))))
    },
  }
  return { directory, asked, answer: () => answer() }
}

describe('verifying whose a credential is', () => {
  it('tells of an active user what the credential allows here', async () => {
    const { verify } = over(fakeUserDirectory({ userId: 'user-1', status: 'active' }))
    expect((await verify(identity))._unsafeUnwrap()).toEqual({
      active: true,
      userId: 'user-1',
      client: 'issuer|shop',
      permissions: ['config:read', 'payments:write'],
      expiresAt: 1_000,
    })
  })

  it.each(['suspended', 'closed'] as const)('is not active for a user who is %s', async (status) => {
    const { verify } = over(fakeUserDirectory({ userId: 'user-1', status }))
    expect((await verify(identity))._unsafeUnwrap()).toEqual({ active: false })
  })

  it('is not active for a user whom nobody knows', async () => {
    expect((await over(fakeUserDirectory()).verify(identity))._unsafeUnwrap()).toEqual({ active: false })
  })

  it('asks no directory about a credential without a user', async () => {
    const directory = fakeUserDirectory()
    directory.goAway()
    expect((await over(directory).verify({ ...identity, userId: null }))._unsafeUnwrap()).toMatchObject({ active: true, userId: null })
  })

  it('is unavailable while the directory is, and keeps nothing of that', async () => {
    const directory = fakeUserDirectory({ userId: 'user-1', status: 'active' })
    const { verify } = over(directory)
    directory.goAway()
    expect((await verify(identity))._unsafeUnwrapErr()).toMatchObject({ kind: 'user-directory-unavailable' })
    directory.comeBack()
    expect((await verify(identity))._unsafeUnwrap()).toMatchObject({ active: true })
  })

  it('sees a suspension within the time that an answer is kept', async () => {
    const clock = fakeClock()
    const directory = fakeUserDirectory({ userId: 'user-1', status: 'active' })
    const { verify } = over(directory, clock)
    await verify(identity)
    directory.put({ userId: 'user-1', status: 'suspended' })
    await clock.advance(standingKeptMs)
    expect((await verify(identity))._unsafeUnwrap()).toEqual({ active: false })
  })

  it('asks once for many at the same time, and once in a while', async () => {
    const clock = fakeClock()
    const { directory, asked, answer } = slowDirectory()
    const { verify } = over(directory, clock)
    const both = Promise.all([verify(identity), verify(identity)])
    answer()
    await both
    await verify(identity)
    expect(asked).toEqual(['user-1'])
    await clock.advance(standingKeptMs)
    const later = verify(identity)
    answer()
    await later
    expect(asked).toHaveLength(2)
  })

  it('counts from when the directory was asked, however late it answers', async () => {
    const clock = fakeClock()
    const { directory, asked, answer } = slowDirectory()
    const { verify } = over(directory, clock)
    const first = verify(identity)
    await clock.advance(standingKeptMs)
    answer()
    await first
    void verify(identity)
    expect(asked).toHaveLength(2)
  })

  it('is not stuck with a question that failed by a defect', async () => {
    let fails = true
    const { verify } = over({
      find: () => {
        if (fails) throw new Error('planted')
        return errAsync({ kind: 'user-directory-unavailable', reason: 'asked again' })
      },
    })
    await expect(verify(identity)).rejects.toThrow('planted')
    fails = false
    expect((await verify(identity))._unsafeUnwrapErr()).toMatchObject({ reason: 'asked again' })
  })
})
