import type { ResultAsync } from 'neverthrow'

/** What the User Service knows of a user that matters here. */
export type DirectoryUser = Readonly<{ userId: string; status: 'active' | 'suspended' | 'closed' }>

/** No answer in time, or none that can be used. */
export type UserDirectoryUnavailable = Readonly<{ kind: 'user-directory-unavailable'; reason: string }>

/** Port: the service that knows the users. Every call answers within a deadline of its own. */
export interface UserDirectory {
  /** `null`: there is no such user. */
  find(userId: string): ResultAsync<DirectoryUser | null, UserDirectoryUnavailable>
}
