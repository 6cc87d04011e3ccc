import fc from 'fast-check'
import { ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { entryEtag } from './entry.ts'
import { absent, address, caller, errorOf, okOf, raced, serviceUnderTest } from './testing/service-under-test.ts'

const limit = address('payments/limit.daily')

describe('put', () => {
  it('makes version 1 of an absent entry, with who, why and when', async () => {
    const { put, ports } = serviceUnderTest()
    expect(okOf(await put(limit, { amount: 5 }))).toMatchObject({
      version: 1,
      revision: 1,
      op: 'put',
      value: { amount: 5 },
      actor: 'issuer|tester',
      reason: 'test',
      requestId: 'request-1',
      recordedAt: ports.clock.now(),
      restoredFrom: null,
    })
  })

  it('accepts the ETag of the entry as it is', async () => {
    const { put } = serviceUnderTest()
    const first = okOf(await put(limit, 1))
    expect(okOf(await put(limit, 2, { kind: 'match', etags: [entryEtag(first)] })).version).toBe(2)
  })

  it('tells a stale writer the entry as it is and what changed since', async () => {
    const { put } = serviceUnderTest()
    const first = okOf(await put(limit, { amount: 1, currency: 'EUR' }))
    okOf(await put(limit, { amount: 2, currency: 'EUR' }, { kind: 'version', version: 1 }))
    expect(errorOf(await put(limit, 3, { kind: 'match', etags: [entryEtag(first)] }))).toMatchObject({
      kind: 'stale-version',
      current: { version: 2 },
      differences: [{ op: 'replace', pointer: '/amount', before: 1, after: 2 }],
    })
  })

  it('refuses the ETag of a resolved value', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(limit, 1))
    const { etag } = okOf(await core.config.get(limit))
    expect(errorOf(await put(limit, 2, { kind: 'match', etags: [etag] }))).toEqual({ kind: 'resolved-etag' })
  })

  it('L2: lets exactly one of several racing writers with one ETag win', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 5 }), async (scheduler, writers) => {
        const {
          core,
          put,
          ports: fakes,
        } = serviceUnderTest((ports) => ({
          ...ports,
          transactions: {
            ...ports.transactions,
            attempt: (unit, work) =>
              ports.transactions.attempt(unit, (tx) =>
                work({
                  ...tx,
                  config: { ...tx.config, newest: (at) => tx.config.newest(at).andThen((newest) => scheduled(scheduler, newest)) },
                }),
              ),
          },
        }))
        const etag = entryEtag(okOf(await raced(scheduler, fakes, put(limit, 0))))
        const race = Array.from({ length: writers }, (_, index) => put(limit, index, { kind: 'match', etags: [etag] }))
        const answers = await raced(scheduler, fakes, Promise.all(race))
        expect(answers.filter((answer) => answer.isOk())).toHaveLength(1)
        expect(okOf(await core.config.entry(limit)).version).toBe(2)
      }),
      { numRuns: 30 },
    )
  })

  it('refuses a value for a setting of the service that the service could not use, with a pointer', async () => {
    const { put } = serviceUnderTest()
    const at = address('security/rate-limit.per-ip')
    expect(errorOf(await put(at, { limit: 0 }))).toMatchObject({ kind: 'invalid-value', faults: [{ pointer: '/limit' }] })
  })

  it('accepts a part of a setting of the service, because it merges with the shipped default', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(address('security/rate-limit.per-ip'), { limit: 5 }))
    expect(okOf(await core.config.get(address('security/rate-limit.per-ip'))).value).toEqual({ limit: 5, windowSeconds: 900 })
  })

  it('L11: publishes one CONFIG_UPDATED that names the version and not the value', async () => {
    const { put, ports } = serviceUnderTest()
    okOf(await put(address('payments/token', '/production'), 'the secret of the house'))
    const [event] = okOf(await ports.outbox.pending([{ stream: 'config-payments' as never, after: 0 }], 10))
    expect(event?.event).toMatchObject({
      type: 'CONFIG_UPDATED',
      payload: { component: 'payments', details: { changes: [{ key: 'token', scope: '/production', version: 1, op: 'put' }] } },
    })
    expect(JSON.stringify(event)).not.toContain('secret')
  })
})

describe('values that are no JSON', () => {
  it.each([
    ['an infinite number', { a: [1, Number.POSITIVE_INFINITY] }, '/a/1'],
    ['undefined', { a: undefined }, '/a'],
    ['a date', { when: new Date(0) }, '/when'],
    ['a function', () => 1, ''],
  ])('are refused with a pointer: %s', async (_name, value, pointer) => {
    const { put } = serviceUnderTest()
    expect(errorOf(await put(limit, value as never))).toMatchObject({ kind: 'invalid-value', faults: [{ pointer, code: 'not-json' }] })
  })
})

describe('unset', () => {
  it('appends a tombstone, after which the address counts as absent and its versions go on', async () => {
    const { put, core } = serviceUnderTest()
    const first = okOf(await put(limit, 1))
    const match = { kind: 'match', etags: [entryEtag(first)] } as const
    expect(okOf(await core.config.unset({ ...limit, precondition: match, reason: '', caller }))).toMatchObject({ version: 2, op: 'delete' })
    expect(errorOf(await core.config.entry(limit)).kind).toBe('entry-not-found')
    expect(okOf(await put(limit, 2, absent)).version).toBe(3)
  })

  it('does not find what is absent', async () => {
    const { core } = serviceUnderTest()
    expect(errorOf(await core.config.unset({ ...limit, precondition: absent, reason: '', caller })).kind).toBe('entry-not-found')
  })
})

describe('rollback', () => {
  it('makes a new version with the content of an old one, and says which', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(limit, 'old'))
    okOf(await put(limit, 'new', { kind: 'version', version: 1 }))
    const command = { ...limit, precondition: { kind: 'version', version: 2 } as const, reason: 'mistake', caller }
    expect(okOf(await core.config.rollback({ ...command, toVersion: 1 }))).toMatchObject({ version: 3, value: 'old', restoredFrom: 1 })
  })

  it('names the newest version when there is none of that number', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(limit, 'old'))
    const command = { ...limit, precondition: { kind: 'version', version: 1 } as const, reason: 'mistake', caller }
    expect(errorOf(await core.config.rollback({ ...command, toVersion: 9 }))).toEqual({ kind: 'unknown-version', version: 9, newest: 1 })
  })

  it('is conditional like any write', async () => {
    const { put, core } = serviceUnderTest()
    okOf(await put(limit, 'old'))
    expect(errorOf(await core.config.rollback({ ...limit, precondition: absent, reason: 'x', caller, toVersion: 1 })).kind).toBe(
      'stale-version',
    )
  })
})

function scheduled<T>(scheduler: fc.Scheduler, value: T): ResultAsync<T, never> {
  return ResultAsync.fromSafePromise(scheduler.schedule(Promise.resolve(value)))
}
