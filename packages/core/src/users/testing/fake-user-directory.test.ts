import { fakeUserDirectory } from './fake-user-directory.ts'
import { userDirectoryContract } from './user-directory.contract.ts'

userDirectoryContract(async () => {
  const users = { active: 'user-1', suspended: 'user-2', closed: 'user-3' }
  const userDirectory = fakeUserDirectory(
    { userId: users.active, status: 'active' },
    { userId: users.suspended, status: 'suspended' },
    { userId: users.closed, status: 'closed' },
  )
  return { userDirectory, users, unknown: ['user-4', ''], goAway: userDirectory.goAway }
})
