import type { ResultAsync } from 'neverthrow'
import type { Identity, Permission } from '../access/index.ts'
import type { Instant } from '../kernel/clock.ts'
import type { UserDirectoryUnavailable } from './ports/user-directory.ts'
import { type VerifyUserDependencies, verifyUser } from './verify-user.ts'

/** Like token introspection (RFC 7662): an identity that may not act is merely not active. */
export type VerifiedUser =
  | Readonly<{ active: false }>
  | Readonly<{
      active: true
      /** `null`: it acts for no user. */
      userId: string | null
      client: string
      /** Those that this service knows, in alphabetical order. */
      permissions: readonly Permission[]
      expiresAt: Instant
    }>

/**
 * Whose it is, and whether they may act. Who acts for no user is active as long as its credential is valid. What the
 * directory answered is used again for 2 s.
 */
export type VerifyUser = (identity: Identity) => ResultAsync<VerifiedUser, UserDirectoryUnavailable>

export type UsersService = Readonly<{ verify: VerifyUser }>

/** Builds the context over its ports. */
export function usersService(ports: VerifyUserDependencies): UsersService {
  return { verify: verifyUser(ports) }
}
