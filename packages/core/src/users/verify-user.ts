import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { permissions as knownPermissions } from '../access/index.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { Digest } from '../kernel/digest.ts'
import type { DirectoryUser, UserDirectory, UserDirectoryUnavailable } from './ports/user-directory.ts'
import type { VerifiedUser, VerifyUser } from './users-service.ts'

export type VerifyUserDependencies = Readonly<{ userDirectory: UserDirectory; digest: Digest; clock: Clock }>

/** `unknown`: the directory has no such user. */
type Standing = DirectoryUser['status'] | 'unknown'

/** How long an answer of the directory may be used again: a suspension takes effect here within this time. */
export const standingKeptMs = 2_000
const standingsKept = 10_000

export function verifyUser(deps: VerifyUserDependencies): VerifyUser {
  const standingOf = standings(deps)
  const verify = async (identity: Parameters<VerifyUser>[0]): Promise<Result<VerifiedUser, UserDirectoryUnavailable>> => {
    const { userId, client, permissions, expiresAt } = identity
    if (userId !== null) {
      const standing = await standingOf(userId)
      if (standing.isErr()) return err(standing.error)
      if (standing.value !== 'active') return ok({ active: false })
    }
    const granted = knownPermissions.filter((permission) => permissions.has(permission)).toSorted()
    return ok({ active: true, userId, client, permissions: granted, expiresAt })
  }
  return (identity) => new ResultAsync(verify(identity))
}

type Kept = Readonly<{ standing: Standing; until: Instant }>

/** One question at a time for each user, and its answer for a moment. What is kept names users by their digest alone. */
function standings({
  userDirectory,
  digest,
  clock,
}: VerifyUserDependencies): (userId: string) => Promise<Result<Standing, UserDirectoryUnavailable>> {
  const kept = new Map<string, Kept>()
  const asking = new Map<string, Promise<Result<Standing, UserDirectoryUnavailable>>>()

  const ask = async (name: string, userId: string): Promise<Result<Standing, UserDirectoryUnavailable>> => {
    // From when it was asked: what the directory decides later must not wait for longer.
    const until = clock.now() + standingKeptMs
    const found = await userDirectory.find(userId)
    if (found.isErr()) return err(found.error)
    const standing = found.value?.status ?? 'unknown'
    keep(kept, name, { standing, until })
    return ok(standing)
  }

  return async (userId) => {
    const name = digest.sha256(userId)
    const known = kept.get(name)
    if (known !== undefined && clock.now() < known.until) return ok(known.standing)
    const underWay = asking.get(name)
    if (underWay !== undefined) return underWay
    const answer = ask(name, userId).finally(() => asking.delete(name))
    asking.set(name, answer)
    return answer
  }
}

/** The one that was kept first makes room. */
function keep(kept: Map<string, Kept>, name: string, standing: Kept): void {
  kept.delete(name)
  if (kept.size >= standingsKept) {
    const [oldest] = kept.keys()
    if (oldest !== undefined) kept.delete(oldest)
  }
  kept.set(name, standing)
}
