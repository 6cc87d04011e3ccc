import { createServer } from 'node:net'
import type { Instruction, Log } from '@cbp/core'
import { fakeEpochStart, fakeLog, fakeRandom, itHolds } from '@cbp/core/testing'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  answer,
  anyInstruction,
  clockOverFiles,
  heldAs,
  instruction as instructionOnVirtualTime,
  openSandbox,
  overHttp,
  problem,
  serve,
} from '../../../tests/payment-service.ts'
import { systemClock } from '../../assembly/platform/index.ts'
import { type HttpPaymentService, type HttpPaymentServiceOptions, httpPaymentService } from './http-payment-service.ts'

const clock = systemClock

function instruction(mode: string | null = null, given: Partial<Instruction> = {}): Instruction {
  return instructionOnVirtualTime(mode, { notAfter: clock.now() + 60_000, ...given })
}

function client(url: string, { limits, ...more }: Partial<HttpPaymentServiceOptions> = {}): HttpPaymentService {
  const service = httpPaymentService({
    url,
    clock,
    random: fakeRandom(1),
    log: fakeLog(),
    limits: { tryTimeoutMs: 5000, backoffBaseMs: 5, backoffCapMs: 10, ...limits },
    ...more,
  })
  onTestFinished(() => service.close())
  return service
}

async function failure(service: HttpPaymentService, given: Instruction = instruction()): Promise<object> {
  return (await service.instruct(given))._unsafeUnwrapErr()
}

/** Where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

const unsent = { kind: 'payment-service-unavailable', sent: false }
const sent = { kind: 'payment-service-unavailable', sent: true }

describe('the client and the sandbox', () => {
  itHolds(
    'agree on every instruction',
    40,
    fc.asyncProperty(anyInstruction, async (given) => {
      const shifted = { ...given, notAfter: given.notAfter - fakeEpochStart + clock.now() }
      const sandbox = await openSandbox({ clock, delays: { settleMs: 600_000 } })
      const { url } = await serve(overHttp(sandbox))
      const service = client(`${url}/base/`)
      const told = await service.instruct(shifted)
      const held = await sandbox.find(given.attemptId)
      expect(await service.find(given.attemptId)).toEqual(held)
      if (told.isOk()) expect(told.value).toEqual(held._unsafeUnwrap())
      else expect([told.error.kind, held._unsafeUnwrap()]).toEqual(['instruction-refused', null])
      await service.close()
      await sandbox.close()
    }),
  )

  it.each([
    ['times-out-before', 'PROCESSING'],
    ['times-out-after', 'PROCESSING'],
    ['times-out-before-always', null],
  ])('come to an end in mode %s', async (mode, status) => {
    const sandbox = await openSandbox({ clock, delays: { settleMs: 600_000, answerDeadlineMs: 600 } })
    const { url } = await serve(overHttp(sandbox))
    const service = client(`${url}/base`, { limits: { tryTimeoutMs: 300 } })
    const given = instruction(mode)
    const told = await service.instruct(given)
    expect(told.isOk() ? told.value.status : told.error).toEqual(status ?? expect.objectContaining(sent))
    expect((await service.find(given.attemptId))._unsafeUnwrap()?.status ?? null).toBe(status)
    expect((await sandbox.held(given.paymentId))._unsafeUnwrap().executions).toBe(status === null ? 0 : 1)
  })
})

describe('an instruction', () => {
  it('carries the attempt as Idempotency-Key, the trace and the token', async () => {
    const given = instruction(null, { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' })
    const { url, seen } = await serve((_, response) => answer(response, 202, heldAs(given)))
    const service = client(`${url}/pay/v1`, { token: () => 'sesame', headers: { 'x-tenant': 'cbp' } })
    expect((await service.instruct(given)).isOk()).toBe(true)
    expect(seen[0]).toMatchObject({
      method: 'PUT',
      url: `/pay/v1/attempts/${given.attemptId}`,
      headers: { 'idempotency-key': given.attemptId, traceparent: given.traceparent, authorization: 'Bearer sesame', 'x-tenant': 'cbp' },
    })
  })

  it.each([422, 400])('is refused by %i with the agreed code', async (status) => {
    const { url, seen } = await serve((_, response) => problem(response, status, 'instruction-refused', 'account closed'))
    expect(await failure(client(url))).toEqual({ kind: 'instruction-refused', reason: 'account closed' })
    expect(seen).toHaveLength(1)
  })

  it('is refused when it came too late to begin', async () => {
    const { url } = await serve((_, response) => problem(response, 422, 'attempt-expired', 'x'))
    expect(await failure(client(url))).toMatchObject({ kind: 'instruction-refused' })
  })

  it.each([400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 425, 301, 307, 500, 501, 204])(
    'stays open after %i without an agreed code, and is not repeated',
    async (status) => {
      const { url, seen } = await serve((_, response) => void response.writeHead(status, { location: '/elsewhere' }).end('<html>'))
      expect(await failure(client(url))).toMatchObject(sent)
      expect(seen).toHaveLength(1)
    },
  )

  it.each([401, 403, 404, 409, 500])('stays open after %i even with the code of a refusal', async (status) => {
    const { url } = await serve((_, response) => problem(response, status, 'instruction-refused', 'no'))
    expect(await failure(client(url))).toMatchObject(sent)
  })

  it.each([429, 502, 503, 504])('is repeated after %i, three times at most', async (status) => {
    const { url, seen } = await serve((_, response) => answer(response, status, {}))
    expect(await failure(client(url))).toMatchObject(sent)
    expect(seen).toHaveLength(3)
    expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  })

  it('succeeds where a repetition does', async () => {
    const given = instruction()
    let calls = 0
    const { url } = await serve((_, response) => {
      calls += 1
      if (calls === 1) response.destroy()
      else if (calls === 2) answer(response, 503, {})
      else answer(response, 200, { ...heldAs(given), status: 'COMPLETED', added: 'later' })
    })
    expect((await client(url).instruct(given))._unsafeUnwrap()).toEqual(heldAs(given, { status: 'COMPLETED' }))
  })

  const unfit: readonly (readonly [string, (given: Instruction) => unknown])[] = [
    ['of another attempt', (given) => ({ ...heldAs(given), attemptId: instruction().attemptId })],
    ['of another payment', (given) => ({ ...heldAs(given), paymentId: instruction().paymentId })],
    ['with an unknown status', (given) => ({ ...heldAs(given), status: 'DONE' })],
    ['with a broken amount', (given) => ({ ...heldAs(given), amount: 12.5 })],
    ['without a status', ({ attemptId }) => ({ attemptId })],
    ['beyond 64 KiB', (given) => ({ ...heldAs(given), padding: 'x'.repeat(70_000) })],
    ['of another kind', () => 'fine'],
  ]

  it.each(unfit)('stays open after an answer %s', async (_, body) => {
    const given = instruction()
    const { url, seen } = await serve((_request, response) => answer(response, 200, body(given)))
    expect(await failure(client(url), given)).toMatchObject(sent)
    expect(seen).toHaveLength(1)
  })
})

describe('whether an instruction left', () => {
  it('is denied when nobody listens', async () => {
    expect(await failure(client(await deadUrl()))).toMatchObject(unsent)
  })

  it('is denied when a connection was never made', async () => {
    const { url } = await silent()
    const service = client(url.replace('http:', 'https:'), { limits: { tryTimeoutMs: 100 } })
    expect(await failure(service)).toMatchObject(unsent)
  })

  it('is denied when the deadline of the call ends a try that waits for its connection', async () => {
    const { url } = await silent()
    expect(await failure(client(url.replace('http:', 'https:'), { limits: { instructTimeoutMs: 100 } }))).toMatchObject(unsent)
  })

  it('is denied when it cannot be written down', async () => {
    const { url, seen } = await serve((_, response) => answer(response, 500, {}))
    expect(await failure(client(url, { token: () => 'two\nlines' }))).toMatchObject(unsent)
    expect(seen).toEqual([])
  })

  it('is denied once the client is closed', async () => {
    const { url, seen } = await serve((_, response) => answer(response, 500, {}))
    const service = client(url)
    await service.close()
    expect(await failure(service)).toMatchObject(unsent)
    expect(seen).toEqual([])
  })

  it('is not denied when the deadline of the call ends a try that waits for its answer', async () => {
    const { url } = await serve(() => undefined)
    expect(await failure(client(url, { limits: { instructTimeoutMs: 200 } }))).toMatchObject(sent)
  })

  it('is not denied when that deadline comes in the very turn in which the try ends', async () => {
    const virtual = clockOverFiles()
    const { url, seen } = await serve(() => undefined)
    const failing = failure(client(url, { clock: virtual }), instructionOnVirtualTime(null, { notAfter: virtual.now() + 1000 }))
    while (seen.length === 0) await clock.sleep(5)
    await virtual.advance(1000)
    expect(await failing).toMatchObject(sent)
  })

  it('is not denied when a connection was lost, whatever follows', async () => {
    const server = createServer((socket) => {
      // The next try meets a closed door.
      server.close()
      socket.once('data', () => socket.destroy())
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    expect(await failure(client(`http://127.0.0.1:${port}`))).toMatchObject({ ...sent, reason: expect.stringContaining('ECONNREFUSED') })
  })

  async function silent(): Promise<{ url: string }> {
    const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => void server.close())
    return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}` }
  }
})

describe('from notAfter on', () => {
  it('an instruction is put once, for the Payment Service to say what holds', async () => {
    const { url, seen } = await serve((_, response) => answer(response, 503, {}))
    expect(await failure(client(url), instruction(null, { notAfter: clock.now() }))).toMatchObject(sent)
    expect(seen).toHaveLength(1)
  })

  it('one that has begun is answered, and one that has not is refused', async () => {
    const sandbox = await openSandbox({ clock })
    const { url } = await serve(overHttp(sandbox))
    const begun = instruction('completes-at-once', { notAfter: clock.now() + 100 })
    await sandbox.instruct(begun)
    await clock.sleep(110)
    const service = client(`${url}/base`)
    expect((await service.instruct(begun)).isOk()).toBe(true)
    expect(await failure(service, instruction(null, { notAfter: clock.now() }))).toMatchObject({ kind: 'instruction-refused' })
  })
})

describe('deadlines', () => {
  it('end a try that hears nothing, and begin another', async () => {
    const { url, seen } = await serve(() => undefined)
    expect(await failure(client(url, { limits: { tryTimeoutMs: 50 } }))).toMatchObject(sent)
    expect(seen).toHaveLength(3)
  })

  it('cover an answer that begins and does not end', async () => {
    const { url } = await serve((_, response) => void response.writeHead(200).write('{'))
    expect(await failure(client(url, { limits: { tryTimeoutMs: 50 } }))).toMatchObject(sent)
  })

  it('leave no try for after notAfter', async () => {
    const { url, seen } = await serve(() => undefined)
    const given = instruction(null, { notAfter: clock.now() + 200 })
    expect(await failure(client(url), given)).toMatchObject(sent)
    expect(clock.now()).toBeGreaterThanOrEqual(given.notAfter)
    expect(seen).toHaveLength(1)
  })

  it('are shorter than a Retry-After that does not fit into them', async () => {
    const { url, seen } = await serve((_, response) => answer(response, 429, {}, { 'retry-after': '3600' }))
    const started = clock.now()
    expect(await failure(client(url))).toMatchObject(sent)
    expect(clock.now() - started).toBeLessThan(5000)
    expect(seen).toHaveLength(1)
  })

  it('leave room for a Retry-After that fits', async () => {
    const given = instruction()
    let calls = 0
    const { url } = await serve((_, response) => {
      calls += 1
      if (calls === 1) answer(response, 503, {}, { 'retry-after': '1' })
      else answer(response, 200, heldAs(given))
    })
    const started = clock.now()
    expect((await client(url).instruct(given)).isOk()).toBe(true)
    expect(clock.now() - started).toBeGreaterThanOrEqual(990)
  })
})

describe('the circuit', () => {
  it('opens after repeated failures, asks nobody, and closes after a call that succeeds', async () => {
    const given = instruction()
    let broken = true
    const { url, seen } = await serve((_, response) => (broken ? answer(response, 503, {}) : answer(response, 200, heldAs(given))))
    const service = client(url, { limits: { breakerFailures: 3, breakerOpenMs: 300 } })
    expect(service.state()).toBe('closed')
    await failure(service)
    expect(service.state()).toBe('open')
    expect(await failure(service)).toMatchObject(unsent)
    expect(seen).toHaveLength(3)
    broken = false
    await clock.sleep(350)
    expect((await service.instruct(given)).isOk()).toBe(true)
    expect(service.state()).toBe('closed')
  })

  it('stays closed while the Payment Service refuses and asks to wait', async () => {
    const { url } = await serve((_, response) => answer(response, 429, {}))
    const service = client(url, { limits: { breakerFailures: 2 } })
    await failure(service)
    expect(service.state()).toBe('closed')
  })
})

describe('the bulkhead', () => {
  it('turns away who finds all places and the queue taken', async () => {
    const given = instruction()
    const held: (() => void)[] = []
    const { url, seen } = await serve((_, response) => void held.push(() => answer(response, 200, heldAs(given))))
    const service = client(url, { limits: { concurrency: 1, queue: 1 } })
    const [first, second] = [service.instruct(given), service.instruct(given)]
    expect(await failure(service)).toMatchObject(unsent)
    while (held.length === 0) await clock.sleep(5)
    held.pop()?.()
    expect((await first).isOk()).toBe(true)
    while (held.length === 0) await clock.sleep(5)
    held.pop()?.()
    expect((await second).isOk()).toBe(true)
    expect(seen).toHaveLength(2)
  })

  it('lets nobody wait beyond the deadline', async () => {
    const { url, seen } = await serve(() => undefined)
    const service = client(url, { limits: { concurrency: 1, queue: 1, instructTimeoutMs: 1000 } })
    const hurried = instruction(null, { notAfter: clock.now() + 200 })
    const [first, second] = await Promise.all([failure(service), failure(service, hurried)])
    expect([first, second]).toEqual([expect.objectContaining(sent), expect.objectContaining(unsent)])
    expect(seen).toHaveLength(1)
  })
})

describe('finding an attempt', () => {
  const { attemptId } = instruction()

  it('answers null only to the agreed code', async () => {
    const { url } = await serve((_, response) => problem(response, 404, 'unknown-attempt'))
    expect((await client(url).find(attemptId))._unsafeUnwrap()).toBeNull()
  })

  it.each([
    [404, 'not-found'],
    [410, 'unknown-attempt'],
    [200, 'unknown-attempt'],
    [422, 'instruction-refused'],
  ])('is unavailable after %i with %s', async (status, code) => {
    const { url } = await serve((_, response) => problem(response, status, code))
    expect((await client(url).find(attemptId)).isErr()).toBe(true)
  })

  it('is unavailable after a 404 that is no problem', async () => {
    const { url } = await serve((_, response) => void response.writeHead(404).end('unknown-attempt'))
    expect((await client(url).find(attemptId))._unsafeUnwrapErr()).toMatchObject({ reason: expect.stringContaining('check its address') })
  })
})

describe('what is said about a payment', () => {
  const given = instruction(null, { metadata: { note: 'rent for May' } })
  const personal = [given.payee.name, given.payee.id, given.userId, 'rent for May', 'sesame', given.paymentId]
  const detail = `cannot pay ${given.payee.name} (${given.payee.id})\u0007 for ${given.userId}: rent for May\n${'x'.repeat(1000)}`

  it('keeps personal data out of the reason of a refusal', async () => {
    const { url } = await serve((_, response) => problem(response, 422, 'instruction-refused', detail))
    const refused = (await failure(client(url), given)) as { reason: string }
    expect(refused.reason).toMatch(/^cannot pay … \(…\) for …: … x+$/)
    expect(refused.reason.length).toBeLessThanOrEqual(300)
  })

  it.each([401, 422, 503, 200])('keeps personal data and the token out of log and error after %i', async (status) => {
    const { url } = await serve((_, response) => answer(response, status, { detail, code: 'other', title: given.payee.name }))
    const log: Log & { entries: readonly object[] } = fakeLog()
    const failed = await failure(client(url, { log, token: () => 'sesame' }), given)
    const said = JSON.stringify([failed, log.entries])
    expect(said).toContain(given.attemptId)
    for (const each of personal) expect(said).not.toContain(each)
  })
})
