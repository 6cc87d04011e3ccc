import { fakeLog, fakeRandom, fakeUserDirectory, userDirectoryContract } from '@cbp/core/testing'
import { describe, onTestFinished } from 'vitest'
import { answer, problem, serve } from '../../../tests/payment-service.ts'
import { systemClock } from '../../assembly/platform/index.ts'
import { httpUserDirectory } from './http-user-directory.ts'
import { sandboxUserDirectory } from './sandbox-user-directory.ts'

describe('the sandbox', () =>
  userDirectoryContract(async () => ({
    userDirectory: sandboxUserDirectory,
    users: { active: 'user-1', suspended: 'suspended-2', closed: 'closed-3' },
    unknown: ['unknown-4', ''],
  })))

describe('the client', () =>
  userDirectoryContract(async () => {
    // What a path cannot carry as it is.
    const users = { active: 'a/b?c=d#e %2e', suspended: 'zoë 🙂', closed: '../closed' }
    const directory = fakeUserDirectory(
      { userId: users.active, status: 'active' },
      { userId: users.suspended, status: 'suspended' },
      { userId: users.closed, status: 'closed' },
    )
    const { url } = await serve(async (request, response) => {
      const userId = decodeURIComponent(/^\/base\/users\/([^/?#]+)$/.exec(request.url ?? '')?.[1] ?? '')
      const found = await directory.find(userId)
      if (found.isErr()) return void response.destroy()
      if (found.value === null) problem(response, 404, 'not-found')
      else answer(response, 200, { ...found.value, added: 'later' })
    })
    const client = httpUserDirectory({ url: `${url}/base/`, clock: systemClock, random: fakeRandom(1), log: fakeLog() })
    onTestFinished(() => client.close())
    return { userDirectory: client, users, unknown: ['user-4', '', '.', '..', '\ud800'], goAway: directory.goAway }
  }))
