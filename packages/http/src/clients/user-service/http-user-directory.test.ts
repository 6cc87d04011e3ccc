import { createServer as createTlsServer } from 'node:https'
import { fakeLog, fakeRandom } from '@cbp/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { certificateAuthority } from '../../../../../tests/lib/certificates.ts'
import { answer, type SeenRequest, serve } from '../../../tests/payment-service.ts'
import { listening } from '../../../tests/webhook-receiver.ts'
import { systemClock } from '../../assembly/platform/index.ts'
import { type HttpUserDirectory, httpUserDirectory, type UserServiceLimits } from './http-user-directory.ts'

const active = { userId: 'user-1', status: 'active' }

type Opened = Readonly<{ client: HttpUserDirectory; log: ReturnType<typeof fakeLog> }>

function open(url: string, limits: Partial<UserServiceLimits> = {}, token: string | null = null): Opened {
  const log = fakeLog()
  const client = httpUserDirectory({ url, token: () => token, clock: systemClock, random: fakeRandom(1), log, limits })
  onTestFinished(() => client.close())
  return { client, log }
}

/** Answers with each of these, and with the last for ever. */
async function serving(...answers: readonly (readonly [status: number, body: unknown])[]): Promise<{ url: string; seen: SeenRequest[] }> {
  let next = 0
  return serve((_request, response) => {
    const [status, body] = answers[Math.min(next, answers.length - 1)] ?? [500, null]
    next += 1
    answer(response, status, body)
  })
}

describe('the client of the User Service', () => {
  it('sends its token and asks below the path of its address', async () => {
    const { url, seen } = await serving([200, active])
    await open(`${url}/v1/`, {}, 'secret').client.find('user-1')
    expect(seen).toMatchObject([{ method: 'GET', url: '/v1/users/user-1', headers: { authorization: 'Bearer secret' } }])
  })

  it('asks again after what passes', async () => {
    const { url, seen } = await serving([503, {}], [200, active])
    expect((await open(url).client.find('user-1'))._unsafeUnwrap()).toEqual(active)
    expect(seen).toHaveLength(2)
  })

  it.each([
    [500, {}],
    [401, {}],
    [301, {}],
    [204, {}],
    [200, { ...active, userId: 'user-2' }],
    [200, { ...active, status: 'ACTIVE' }],
    [200, []],
  ])('takes %d %j for no answer, and asks once', async (status, body) => {
    const { url, seen } = await serving([status, body])
    const { client, log } = open(url)
    expect((await client.find('user-1'))._unsafeUnwrapErr()).toMatchObject({ kind: 'user-directory-unavailable' })
    expect(seen).toHaveLength(1)
    expect(JSON.stringify(log)).not.toContain('user-1')
  })

  it('does not wait for a service that is silent', async () => {
    const { url } = await serve(() => {})
    const { client } = open(url, { tryTimeoutMs: 50, findTimeoutMs: 150 })
    const startedAt = performance.now()
    expect((await client.find('user-1'))._unsafeUnwrapErr().reason).toMatch(/no answer within|no time left/)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it('reads no more than it has to', async () => {
    const { url } = await serving([200, { ...active, more: 'x'.repeat(20_000) }])
    expect((await open(url).client.find('user-1'))._unsafeUnwrapErr().reason).toContain('beyond 16384 bytes')
  })

  it('leaves a service alone that fails again and again', async () => {
    const { url, seen } = await serving([500, {}])
    const { client } = open(url)
    for (let call = 0; call < 8; call += 1) await client.find('user-1')
    expect([seen.length, client.state()]).toEqual([5, 'open'])
  })

  it('refuses a certificate that nobody vouches for', async () => {
    const { cert, key } = await (await certificateAuthority()).issue()
    let requests = 0
    const server = createTlsServer({ cert, key }, () => {
      requests += 1
    })
    const { port } = await listening(server)
    const { client } = open(`https://localhost:${port}`)
    expect((await client.find('user-1'))._unsafeUnwrapErr().reason).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE/)
    expect(requests).toBe(0)
  })

  it('answers at once when it is closed', async () => {
    const { client } = open('http://127.0.0.1:1')
    await client.close()
    expect((await client.find('user-1'))._unsafeUnwrapErr().reason).toBe('the client is closed')
  })
})
