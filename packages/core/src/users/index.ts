export type { DirectoryUser, UserDirectory, UserDirectoryUnavailable } from './ports/user-directory.ts'
export type { UsersService, VerifiedUser, VerifyUser } from './users-service.ts'
export { usersService } from './users-service.ts'
