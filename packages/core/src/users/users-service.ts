import type { ResultAsync } from 'neverthrow'
import type { Identity } from '../access/index.ts'
import type { Instant } from '../kernel/clock.ts'
import type { UserDirectoryUnavailable } from './ports/user-directory.ts'

/** Like token introspection (RFC 7662): an identity that may not act is merely not active. */
export type VerifiedUser =
  | Readonly<{ active: false }>
  | Readonly<{ active: true; userId: string | null; client: string; permissions: readonly string[]; expiresAt: Instant }>

/** Whose it is, and whether they may act. Who acts for no user is active as long as its credential is valid. */
export type VerifyUser = (identity: Identity) => ResultAsync<VerifiedUser, UserDirectoryUnavailable>

export type UsersService = Readonly<{ verify: VerifyUser }>
