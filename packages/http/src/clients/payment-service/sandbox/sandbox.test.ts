import { readFile } from 'node:fs/promises'
import { cancelSource, type Instruction } from '@cbp/core'
import { anyUuid, type FakeClock, fakeEpochStart, fakeLog, itHolds } from '@cbp/core/testing'
import fc from 'fast-check'
import { ResultAsync } from 'neverthrow'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  anyInstruction,
  clockOverFiles,
  instruction,
  openSandbox,
  type Posted,
  receiver,
  temporaryPath,
  webhookSecret,
} from '../../../../tests/payment-service.ts'
import { sandboxModes } from './modes.ts'
import type { SandboxPaymentService } from './sandbox-payment-service.ts'

type Stage = Readonly<{ sandbox: SandboxPaymentService; clock: FakeClock; posted: Posted[]; path: string }>

/** A sandbox on virtual time that sends its callbacks. */
async function stage(...answers: readonly number[]): Promise<Stage> {
  const clock = clockOverFiles()
  const { post, posted } = receiver(() => clock.now(), ...answers)
  const path = await temporaryPath()
  const sandbox = await openSandbox({ clock, post, path })
  const { signal, cancel } = cancelSource()
  const running = sandbox.run(signal)
  onTestFinished(async () => {
    cancel()
    await clock.advance(1000)
    await running
  })
  return { sandbox, clock, posted, path }
}

/** Instructs, and lets time pass until there is an answer. */
async function instruct({ sandbox, clock }: Stage, given: Instruction): Promise<string> {
  let answer: string | null = null
  const asked = sandbox.instruct(given).then((result) => {
    answer = result.match(
      ({ status }) => status,
      (error) => (error.kind === 'instruction-refused' ? 'refused' : `unavailable, ${error.sent ? 'sent' : 'not sent'}`),
    )
  })
  for (let round = 0; answer === null && round < 100; round += 1) await clock.advance(50)
  await asked
  return answer ?? 'none'
}

async function statusOf({ sandbox }: Stage, given: Instruction): Promise<string | null> {
  return (await sandbox.find(given.attemptId))._unsafeUnwrap()?.status ?? null
}

async function amountHeld({ sandbox }: Stage, given: Instruction): Promise<number> {
  return (await sandbox.held(given.paymentId))._unsafeUnwrap().amount
}

function told(posted: readonly Posted[]): readonly string[] {
  return posted.map(({ id, status }) => `${status} ${id.split('-').at(-1)}`)
}

describe('a mode of the sandbox:', () => {
  /** Mode, first answer, status 5 s later, amount held, callbacks. */
  const modes: readonly (readonly [string | null, string, string | null, number, readonly string[]])[] = [
    [null, 'PROCESSING', 'COMPLETED', 1250, ['COMPLETED 1']],
    ['completes', 'PROCESSING', 'COMPLETED', 1250, ['COMPLETED 1']],
    ['completes-at-once', 'COMPLETED', 'COMPLETED', 1250, ['COMPLETED 1']],
    ['fails', 'PROCESSING', 'FAILED', 0, ['FAILED 1']],
    ['refuses', 'refused', null, 0, []],
    ['times-out-before', 'unavailable, sent', null, 0, []],
    ['times-out-before-always', 'unavailable, sent', null, 0, []],
    ['times-out-after', 'unavailable, sent', 'COMPLETED', 1250, ['COMPLETED 1']],
    ['answers-late', 'unavailable, sent', 'COMPLETED', 1250, ['COMPLETED 1']],
    ['webhook-twice', 'PROCESSING', 'COMPLETED', 1250, ['COMPLETED 1', 'COMPLETED 1', 'COMPLETED 2']],
    ['webhook-out-of-order', 'PROCESSING', 'COMPLETED', 1250, ['COMPLETED 1', 'PROCESSING 2']],
    ['webhook-never', 'PROCESSING', 'COMPLETED', 1250, []],
    ['wrong-amount', 'PROCESSING', 'COMPLETED', 1251, ['COMPLETED 1']],
    ['reverses', 'PROCESSING', 'REVERSED', 0, ['COMPLETED 1', 'REVERSED 2']],
    ['Completes', 'refused', null, 0, []],
  ]

  it.each(modes)('%s', async (mode, first, status, amount, callbacks) => {
    const on = await stage()
    const given = instruction(mode)
    expect(await instruct(on, given)).toBe(first)
    await on.clock.advance(5000)
    expect([await statusOf(on, given), await amountHeld(on, given), told(on.posted)]).toEqual([status, amount, callbacks])
  })

  it('is in this list if there is one', () => {
    expect(new Set(modes.map(([mode]) => mode))).toEqual(new Set([...sandboxModes, null, 'Completes']))
  })
})

describe('the sandbox', () => {
  it('completes 300 ms after it was instructed, and says when that was', async () => {
    const on = await stage()
    const given = instruction('completes')
    await instruct(on, given)
    const began = on.clock.now()
    expect(await statusOf(on, given)).toBe('PROCESSING')
    await on.clock.advance(400)
    expect(await statusOf(on, given)).toBe('COMPLETED')
    expect(Date.parse(on.posted[0]?.occurredAt ?? '')).toBeLessThanOrEqual(began + 300)
  })

  it('takes a timed-out instruction when it is repeated, unless it is to time out always', async () => {
    const on = await stage()
    const [once, always] = [instruction('times-out-before'), instruction('times-out-before-always')]
    await instruct(on, once)
    await instruct(on, always)
    expect([await instruct(on, once), await instruct(on, always)]).toEqual(['PROCESSING', 'unavailable, sent'])
    await on.clock.advance(60_000)
    expect([await statusOf(on, once), await statusOf(on, always)]).toEqual(['COMPLETED', null])
  })

  it('tells with an older time what comes out of order', async () => {
    const on = await stage()
    await instruct(on, instruction('webhook-out-of-order'))
    await on.clock.advance(2000)
    const [first, second] = on.posted
    expect(Date.parse(second?.occurredAt ?? '')).toBeLessThan(Date.parse(first?.occurredAt ?? ''))
  })

  it('begins late only before notAfter', async () => {
    const on = await stage()
    const given = instruction('answers-late', { notAfter: fakeEpochStart + 2500 })
    await instruct(on, given)
    await on.clock.advance(20_000)
    expect([await statusOf(on, given), told(on.posted)]).toEqual([null, []])
  })

  it('refuses an attempt from its notAfter on, and answers one that has begun as ever', async () => {
    const on = await stage()
    const [begun, late] = [instruction(), instruction()]
    await instruct(on, begun)
    await on.clock.advance(late.notAfter - on.clock.now())
    expect([await instruct(on, late), await instruct(on, begun)]).toEqual(['refused', 'COMPLETED'])
  })

  it('does not mix up two instructions under one attempt', async () => {
    const on = await stage()
    const given = instruction()
    await instruct(on, given)
    expect(await instruct(on, { ...given, amount: given.amount + 1 })).toBe('unavailable, sent')
    await on.clock.advance(5000)
    expect(await amountHeld(on, given)).toBe(given.amount)
  })

  it('carries out an attempt once, however many instruct it at once', async () => {
    const path = await temporaryPath()
    const [left, right] = [await openSandbox({ path }), await openSandbox({ path })]
    const given = instruction('completes-at-once')
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? left : right).instruct(given)))
    expect(answers.map((each) => each._unsafeUnwrap().status)).toEqual(Array.from({ length: 20 }, () => 'COMPLETED'))
    expect((await right.held(given.paymentId))._unsafeUnwrap()).toMatchObject({ executions: 1, amount: 1250 })
  })

  it('counts each attempt of a payment', async () => {
    const on = await stage()
    const [first, second] = [instruction(), instruction()]
    await instruct(on, first)
    await instruct(on, { ...second, paymentId: first.paymentId })
    await on.clock.advance(5000)
    expect((await on.sandbox.held(first.paymentId))._unsafeUnwrap()).toMatchObject({ executions: 2, amount: 2500 })
  })

  it('keeps neither payees nor users', async () => {
    const path = await temporaryPath()
    const sandbox = await openSandbox({ path })
    const given = instruction('completes')
    await sandbox.instruct(given)
    await sandbox.close()
    const bytes = (await readFile(path)).toString('latin1')
    expect(bytes).toContain(given.paymentId)
    for (const personal of ['Ada Lovelace', 'payee-77', 'user-1']) expect(bytes).not.toContain(personal)
  })

  it('serves nobody once it is closed', async () => {
    const sandbox = await openSandbox()
    await sandbox.close()
    expect((await sandbox.instruct(instruction()))._unsafeUnwrapErr()).toMatchObject({ kind: 'payment-service-unavailable', sent: false })
    expect((await sandbox.find(instruction().attemptId)).isErr()).toBe(true)
  })

  itHolds(
    'holds what it answered, also when it is opened again',
    30,
    fc.asyncProperty(anyInstruction, anyUuid, async (given, unknown) => {
      const path = await temporaryPath()
      const clock = clockOverFiles()
      const before = await openSandbox({ path, clock })
      const answer = await before.instruct(given)
      await before.close()
      const after = await openSandbox({ path, clock })
      const found = (await after.find(given.attemptId))._unsafeUnwrap()
      const refused = given.notAfter <= clock.now() || ['refuses', 'no such mode'].includes(given.metadata['sandbox'] ?? '')
      expect(answer.isErr()).toBe(refused)
      expect(found).toEqual(answer.unwrapOr(null))
      expect(await after.instruct(given)).toEqual(answer)
      expect((await after.find(unknown))._unsafeUnwrap()).toBeNull()
      await after.close()
    }),
  )
})

describe('a callback of the sandbox', () => {
  it('is signed as Standard Webhooks says', async () => {
    const clock = clockOverFiles()
    const { post, posted } = receiver(() => clock.now())
    const other = `whsec_${Buffer.alloc(24, 9).toString('base64')}`
    const sandbox = await openSandbox({ clock, post, secrets: () => [other, webhookSecret] })
    const { signal, cancel } = cancelSource()
    const running = sandbox.run(signal)
    await sandbox.instruct(instruction('completes-at-once'))
    await clock.advance(100)
    const { headers = {}, body = '' } = posted[0]?.request ?? {}
    expect(headers['webhook-timestamp']).toBe(String(Math.floor((posted[0]?.at ?? 0) / 1000)))
    for (const secret of [other, webhookSecret]) expect(signatures(secret, headers, body)).toContain(true)
    cancel()
    await clock.advance(1000)
    await running
  })

  function signatures(secret: string, headers: Readonly<Record<string, string>>, body: string): readonly boolean[] {
    const expected = new Webhook(secret).sign(headers['webhook-id'] ?? '', new Date(Number(headers['webhook-timestamp']) * 1000), body)
    return (headers['webhook-signature'] ?? '').split(' ').map((each) => each === expected)
  }

  it('comes again with the same id until it is accepted', async () => {
    const on = await stage(500, 404, 302)
    await instruct(on, instruction('completes-at-once'))
    await on.clock.advance(60_000)
    expect(told(on.posted)).toEqual(['COMPLETED 1', 'COMPLETED 1', 'COMPLETED 1', 'COMPLETED 1'])
  })

  it('is given up in the end, with a word in the log', async () => {
    const clock = clockOverFiles()
    const log = fakeLog()
    const { post, posted } = receiver(() => clock.now(), ...Array.from({ length: 100 }, () => 500))
    const sandbox = await openSandbox({ clock, post, log, callbacks: { tries: 3 } })
    const { signal, cancel } = cancelSource()
    const running = sandbox.run(signal)
    await sandbox.instruct(instruction('completes-at-once'))
    await clock.advance(120_000)
    expect(posted).toHaveLength(3)
    expect(log.entries.at(-1)?.fields['givenUp']).toBe(true)
    cancel()
    await clock.advance(1000)
    await running
  })

  it('waits for the one before it', async () => {
    const on = await stage(500, 500, 500, 500)
    await instruct(on, instruction('reverses'))
    await on.clock.advance(120_000)
    expect(told(on.posted)).toEqual([...Array.from({ length: 5 }, () => 'COMPLETED 1'), 'REVERSED 2'])
  })

  it('waits until there is an address and a secret', async () => {
    const clock = clockOverFiles()
    const { post, posted } = receiver(() => clock.now())
    let url: string | null = null
    let secrets: readonly string[] = []
    const sandbox = await openSandbox({ clock, post, callbackUrl: () => url, secrets: () => secrets })
    const { signal, cancel } = cancelSource()
    const running = sandbox.run(signal)
    await sandbox.instruct(instruction('completes-at-once'))
    await clock.advance(1000)
    url = 'http://127.0.0.1:1/'
    await clock.advance(1000)
    expect(posted).toEqual([])
    secrets = [webhookSecret]
    await clock.advance(1000)
    expect(posted).toHaveLength(1)
    cancel()
    await clock.advance(1000)
    await running
  })

  it('goes out once where two processes send', async () => {
    const clock = clockOverFiles()
    const { post, posted } = receiver(() => clock.now())
    const slowly: typeof post = (request) => ResultAsync.fromSafePromise(clock.sleep(500)).andThen(() => post(request))
    const path = await temporaryPath()
    const handles = [await openSandbox({ path, clock, post: slowly }), await openSandbox({ path, clock, post: slowly })]
    const { signal, cancel } = cancelSource()
    const running = handles.map((each) => each.run(signal))
    for (let count = 0; count < 20; count += 1) await handles[count % 2]?.instruct(instruction('completes'))
    await clock.advance(10_000)
    expect(new Set(posted.map(({ id }) => id)).size).toBe(20)
    expect(posted).toHaveLength(20)
    cancel()
    await clock.advance(1000)
    await Promise.all(running)
  })
})
