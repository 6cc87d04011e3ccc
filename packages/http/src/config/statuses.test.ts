import { errAsync, ResultAsync } from 'neverthrow'
import { beforeAll, describe, expect, it } from 'vitest'
import { type CallInit, createIt, openApp, problemOf, put, type TestApp, token } from '../../tests/support.ts'

const path = '/config/payments/retry.max-attempts'
const json = { 'content-type': 'application/json' }

type Case = [name: string, method: string, path: string, init: CallInit, status: number, code: string, pointer?: string]

const good = { value: 1, reason: 'test' }
const deep = `${'['.repeat(70)}${']'.repeat(70)}`

/** Against an entry at `/` of version 3, whose version 2 is a tombstone. */
const refused: Case[] = [
  ['JSON that breaks off', 'PUT', path, { raw: '{"value"', headers: { ...json, ...createIt } }, 400, 'malformed-json'],
  ['an empty body', 'PUT', path, { raw: '', headers: { ...json, ...createIt } }, 400, 'malformed-json'],
  ['bytes that are not UTF-8', 'PUT', path, { raw: new Uint8Array([0x22, 0xff, 0x22]), headers: json }, 400, 'malformed-json'],
  [
    'a body nested without end',
    'PUT',
    path,
    { raw: `{"value":${'['.repeat(200_000)}1e1${']'.repeat(200_000)},"reason":"x"}`, headers: { ...json, ...createIt } },
    400,
    'malformed-json',
  ],
  [
    'a value nested without end',
    'PUT',
    path,
    { raw: `{"value":${'['.repeat(200_000)}${']'.repeat(200_000)},"reason":"x"}`, headers: { ...json, ...createIt } },
    400,
    'malformed-json',
  ],
  ['a member twice', 'PUT', path, { raw: '{"value":1,"value":2,"reason":"x"}', headers: { ...json, ...createIt } }, 400, 'malformed-json'],
  ['a bad component', 'GET', '/config/Payments/a', {}, 400, 'invalid-parameter', '#/path/component'],
  ['a reserved component', 'GET', '/config/export', {}, 400, 'invalid-parameter', '#/path/component'],
  ['a bad key', 'GET', '/config/payments/A', {}, 400, 'invalid-parameter', '#/path/key'],
  ['a key too long', 'GET', `/config/payments/${'a'.repeat(129)}`, {}, 400, 'invalid-parameter', '#/path/key'],
  ['an escape that is none', 'GET', '/config/payments/a%zz', {}, 400, 'invalid-parameter', '#/path/key'],
  ['a bad scope', 'GET', `${path}?scope=production`, {}, 400, 'invalid-parameter', '#/query/scope'],
  ['a scope too deep', 'GET', `${path}?scope=/a/b/c/d/e`, {}, 400, 'invalid-parameter', '#/query/scope'],
  ['an unknown parameter', 'GET', `${path}?scopes=/`, {}, 400, 'invalid-parameter', '#/query/scopes'],
  ['a repeated parameter', 'GET', `${path}?scope=/&scope=/a`, {}, 400, 'invalid-parameter', '#/query/scope'],
  ['a member of every object as a parameter', 'GET', `${path}?__proto__=1`, {}, 400, 'invalid-parameter', '#/query/__proto__'],
  ['a member of every object, repeated', 'GET', `${path}?__proto__=1&__proto__=2`, {}, 400, 'invalid-parameter', '#/query/__proto__'],
  ['a bad asOf', 'GET', `${path}?asOf=yesterday`, {}, 400, 'invalid-parameter', '#/query/asOf'],
  ['an impossible day', 'GET', `${path}?asOf=2026-02-31T25:00:00Z`, {}, 400, 'invalid-parameter', '#/query/asOf'],
  ['a day that February lacks', 'GET', `${path}?asOf=2026-02-30T00:00:00Z`, {}, 400, 'invalid-parameter', '#/query/asOf'],
  ['the 24th hour', 'GET', `${path}?asOf=2026-02-01T24:00:00Z`, {}, 400, 'invalid-parameter', '#/query/asOf'],
  ['an instant without seconds', 'GET', `${path}?asOf=2026-02-01T10:00Z`, {}, 400, 'invalid-parameter', '#/query/asOf'],
  ['an offset of 24 hours', 'GET', `${path}?asOf=2026-02-01T10:00:00-24:00`, {}, 400, 'invalid-parameter', '#/query/asOf'],
  ['a bad flag', 'GET', `${path}?raw=yes`, {}, 400, 'invalid-parameter', '#/query/raw'],
  ['a limit of 0', 'GET', '/config?limit=0', {}, 400, 'invalid-parameter', '#/query/limit'],
  ['a limit too high', 'GET', '/config?limit=501', {}, 400, 'invalid-parameter', '#/query/limit'],
  ['a foreign page cursor', 'GET', '/config?cursor=abc', {}, 400, 'invalid-parameter', '#/query/cursor'],
  ['version 0', 'GET', `${path}/versions/0`, {}, 400, 'invalid-parameter', '#/path/n'],
  ['a diff of one version', 'GET', `${path}/diff?from=1`, {}, 400, 'invalid-parameter', '#/query/to'],
  ['a wait too long', 'GET', '/config/changes?wait=56', {}, 400, 'invalid-parameter', '#/query/wait'],
  ['a cursor of no form', 'GET', '/config/changes?since=x.y', {}, 400, 'invalid-cursor', '#/query/since'],
  ['a watch cursor of no form', 'GET', '/config/watch?since=x.y', {}, 400, 'invalid-cursor', '#/query/since'],
  [
    'a Last-Event-ID of no form',
    'GET',
    '/config/watch?since=0',
    { headers: { 'last-event-id': 'x.y' } },
    400,
    'invalid-cursor',
    '#/header/last-event-id',
  ],
  ['an unquoted ETag', 'PUT', path, { body: good, headers: { 'if-match': '1-abc' } }, 400, 'invalid-header', '#/header/if-match'],
  ['an unquoted ETag of a read', 'GET', path, { headers: { 'if-none-match': 'abc' } }, 400, 'invalid-header', '#/header/if-none-match'],
  [
    'contradictory conditions',
    'PUT',
    path,
    { body: good, headers: { 'if-match': '"1-a"', ...createIt } },
    400,
    'invalid-header',
    '#/header/if-none-match',
  ],
  ['no token', 'GET', path, { headers: { authorization: undefined } }, 401, 'unauthenticated'],
  ['basic credentials', 'GET', path, { headers: { authorization: 'Basic eDp5' } }, 401, 'unauthenticated'],
  ['a bad token', 'GET', path, { headers: { authorization: 'Bearer x.y.z' } }, 401, 'invalid-token'],
  ['no such path', 'GET', '/nothing', {}, 404, 'not-found'],
  ['no value', 'GET', '/config/payments/none', {}, 404, 'config-not-found'],
  ['no entry at exactly this scope', 'GET', `${path}?scope=/production&raw=true`, {}, 404, 'entry-not-found'],
  ['no history', 'GET', '/config/payments/none/versions', {}, 404, 'entry-not-found'],
  ['no such version', 'GET', `${path}/versions/9`, {}, 404, 'version-not-found'],
  ['a diff to no version', 'GET', `${path}/diff?from=1&to=9`, {}, 404, 'version-not-found'],
  ['a revision to come', 'GET', `${path}?asOf=999`, {}, 404, 'revision-beyond-head'],
  ['a snapshot to come', 'GET', '/config/payments?asOf=999', {}, 404, 'revision-beyond-head'],
  ['the removal of nothing', 'DELETE', '/config/payments/none', { headers: { 'if-match': '"1-a"' } }, 404, 'entry-not-found'],
  [
    'a rollback of nothing',
    'POST',
    '/config/payments/none/rollback',
    { body: { toVersion: 1, reason: 'x' }, headers: createIt },
    404,
    'entry-not-found',
  ],
  ['no such problem', 'GET', '/problems/none', {}, 404, 'not-found'],
  ['no such asset', 'GET', '/docs/package.json', {}, 404, 'not-found'],
  ['a method that the path does not take', 'POST', path, { body: good }, 405, 'method-not-allowed'],
  ['a cursor of another epoch', 'GET', '/config/changes?since=zz.1', {}, 410, 'cursor-gone'],
  ['a watch from another epoch', 'GET', '/config/watch?since=zz.1', {}, 410, 'cursor-gone'],
  ['a cursor beyond the head', 'GET', '/config/changes?since=e1.999', {}, 410, 'cursor-gone'],
  ['a stale ETag', 'PUT', path, { body: good, headers: { 'if-match': '"1-0123456789abcdef0123456789abcdef"' } }, 412, 'stale-version'],
  ['a weak ETag', 'PUT', path, { body: good, headers: { 'if-match': 'W/"3-abc"' } }, 412, 'stale-version'],
  ['creating what is there', 'PUT', path, { body: good, headers: createIt }, 412, 'stale-version'],
  ['a resolved ETag', 'PUT', path, { body: good, headers: { 'if-match': '"r-1-0123456789abcdef"' } }, 412, 'resolved-etag'],
  ['a body too large', 'PUT', path, { raw: `"${'x'.repeat(1_048_576)}"`, headers: { ...json, ...createIt } }, 413, 'body-too-large'],
  ['a body too large that says so', 'PUT', path, { raw: '1', headers: { ...json, 'content-length': '1048577' } }, 413, 'body-too-large'],
  [
    'another type',
    'PUT',
    path,
    { raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'unsupported-media-type',
  ],
  ['no type', 'PUT', path, { raw: new Uint8Array([0x7b, 0x7d]) }, 415, 'unsupported-media-type'],
  [
    'another charset',
    'PUT',
    path,
    { raw: '{}', headers: { 'content-type': 'application/json; charset=latin1' } },
    415,
    'unsupported-media-type',
  ],
  ['a compressed body', 'PUT', path, { raw: '{}', headers: { ...json, 'content-encoding': 'gzip' } }, 415, 'unsupported-media-type'],
  ['an unknown member', 'PUT', path, { body: { ...good, extra: 1 }, headers: createIt }, 422, 'invalid-body', '#/extra'],
  ['no value member', 'PUT', path, { body: { reason: 'x' }, headers: createIt }, 422, 'invalid-body', '#/value'],
  ['no reason', 'PUT', path, { body: { value: 1 }, headers: createIt }, 422, 'invalid-body', '#/reason'],
  ['an empty reason', 'PUT', path, { body: { value: 1, reason: '' }, headers: createIt }, 422, 'invalid-body', '#/reason'],
  ['a blank reason', 'PUT', path, { body: { value: 1, reason: ' \t\u0000\u200b' }, headers: createIt }, 422, 'invalid-body', '#/reason'],
  ['half a character', 'PUT', path, { body: { value: 1, reason: 'a\ud800' }, headers: createIt }, 422, 'invalid-body', '#/reason'],
  ['a blank reason to remove', 'DELETE', `${path}?reason=%20`, { headers: createIt }, 400, 'invalid-parameter', '#/query/reason'],
  ['a reason too long', 'PUT', path, { body: { value: 1, reason: 'x'.repeat(501) }, headers: createIt }, 422, 'invalid-body', '#/reason'],
  ['a body that is no object', 'PUT', path, { body: [1], headers: createIt }, 422, 'invalid-body', '#'],
  ['secret', 'PUT', path, { body: { ...good, secret: true }, headers: createIt }, 422, 'invalid-body', '#/secret'],
  [
    'effectiveFrom',
    'PUT',
    path,
    { body: { ...good, effectiveFrom: '2026-01-01T00:00:00Z' }, headers: createIt },
    422,
    'invalid-body',
    '#/effectiveFrom',
  ],
  ['expiresAt', 'PUT', path, { body: { ...good, expiresAt: null }, headers: createIt }, 422, 'invalid-body', '#/expiresAt'],
  [
    'a number that would change',
    'PUT',
    path,
    { raw: '{"value":12345678901234567891,"reason":"x"}', headers: { ...json, ...createIt } },
    422,
    'invalid-body',
    '#/value',
  ],
  [
    'a number beyond all',
    'PUT',
    path,
    { raw: '{"value":1e999,"reason":"x"}', headers: { ...json, ...createIt } },
    422,
    'invalid-body',
    '#/value',
  ],
  [
    'a value too large',
    'PUT',
    '/config/payments/big',
    { body: { value: 'x'.repeat(65_536), reason: 'x' }, headers: createIt },
    422,
    'invalid-value',
    '#/value',
  ],
  [
    'a value too deep',
    'PUT',
    '/config/payments/deep',
    { raw: `{"value":${deep},"reason":"x"}`, headers: { ...json, ...createIt } },
    422,
    'invalid-value',
    '#/value',
  ],
  [
    'a tunable that does not fit',
    'PUT',
    '/config/delivery/relay.lease-ms',
    { body: { value: 'x', reason: 'x' }, headers: createIt },
    422,
    'invalid-value',
    '#/value',
  ],
  [
    'a rollback to no version',
    'POST',
    `${path}/rollback`,
    { body: { toVersion: 9, reason: 'x' }, headers: { 'if-match': '"3-a"' } },
    422,
    'unknown-version',
    '#/toVersion',
  ],
  [
    'a rollback without reason',
    'POST',
    `${path}/rollback`,
    { body: { toVersion: 1 }, headers: { 'if-match': '"3-a"' } },
    422,
    'invalid-body',
    '#/reason',
  ],
  ['no condition', 'PUT', path, { body: good }, 428, 'precondition-required'],
  ['a removal without condition', 'DELETE', path, {}, 428, 'precondition-required'],
  ['a rollback without condition', 'POST', `${path}/rollback`, { body: { toVersion: 1, reason: 'x' } }, 428, 'precondition-required'],
  ['If-Match: *', 'PUT', path, { body: good, headers: { 'if-match': '*' } }, 428, 'precondition-required'],
  ['If-None-Match of a tag', 'PUT', path, { body: good, headers: { 'if-none-match': '"1-a"' } }, 428, 'precondition-required'],
]

describe('refusals', () => {
  let call: TestApp['call']

  beforeAll(async () => {
    call = (await openApp()).call
    const first = await put(call, path, 1)
    await call('DELETE', path, { headers: { 'if-match': first.headers.get('etag') ?? '' } })
    await put(call, path, 3)
  })

  it.each(refused)('answers %s with its problem', async (_name, method, target, init, status, code, pointer) => {
    const response = await call(method, target, init)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(response.headers.get('x-request-id')).toMatch(/^test-/)
    const problem = await problemOf(response)
    expect(problem).toMatchObject({
      status,
      code,
      type: `/problems/${code}`,
      instance: target.split('?')[0],
      requestId: response.headers.get('x-request-id'),
    })
    expect(response.status).toBe(status)
    if (pointer !== undefined) expect((problem['errors'] as { pointer: string }[]).map((fault) => fault.pointer)).toContain(pointer)
  })

  it.each(['secret', 'effectiveFrom', 'expiresAt'])('says that %s is not supported yet', async (name) => {
    const response = await call('PUT', path, { body: { ...good, [name]: 'x' }, headers: createIt })
    expect(await problemOf(response)).toMatchObject({ errors: [{ code: 'not-supported-yet', message: expect.stringContaining(name) }] })
  })

  it('names every fault at once', async () => {
    const response = await call('PUT', path, { body: { extra: 1, secret: true }, headers: createIt })
    const pointers = ((await problemOf(response))['errors'] as { pointer: string }[]).map((fault) => fault.pointer)
    expect(pointers.toSorted()).toEqual(['#/extra', '#/reason', '#/secret', '#/value'])
  })

  it('lists the methods of a path in Allow', async () => {
    const response = await call('PATCH', path)
    expect(response.headers.get('allow')).toBe('GET, PUT, DELETE, HEAD, OPTIONS')
  })

  it('answers OPTIONS with Allow and nothing else', async () => {
    const response = await call('OPTIONS', '/config')
    expect([response.status, response.headers.get('allow'), await response.text()]).toEqual([204, 'GET, HEAD, OPTIONS', ''])
  })

  it('tells a stale writer the entry as it is and what changed', async () => {
    const response = await call('PUT', path, { body: good, headers: { 'if-match': '"1-0123456789abcdef0123456789abcdef"' } })
    expect(await problemOf(response)).toMatchObject({
      current: { value: 3, version: 3, etag: expect.stringMatching(/^"3-[0-9a-f]{32}"$/) },
      differences: [{ op: 'replace', pointer: '', before: 1, after: 3 }],
    })
  })

  it('tells a writer with a weak tag that it never matches', async () => {
    const response = await call('PUT', path, { body: good, headers: { 'if-match': 'W/"3-abc"' } })
    expect((await problemOf(response))['detail']).toMatch(/weak tag .* never matches/)
  })

  it('tells a stale writer of an entry that is gone that there is none', async () => {
    await put(call, '/config/payments/gone', 1)
    const made = await call('GET', '/config/payments/gone?raw=true')
    const etag = made.headers.get('etag') ?? ''
    await call('DELETE', '/config/payments/gone', { headers: { 'if-match': etag } })
    expect(await problemOf(await call('PUT', '/config/payments/gone', { body: good, headers: { 'if-match': etag } }))).toMatchObject({
      current: null,
    })
  })

  it('asks for the missing permission', async () => {
    const reader = { authorization: `Bearer ${await token({ scope: 'config:read' })}` }
    const response = await call('PUT', path, { body: good, headers: reader })
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([403, expect.stringContaining('scope="config:write"')])
  })
})

describe('a store that is away', () => {
  it.each([
    ['GET', '/config'],
    ['GET', '/config/payments'],
    ['GET', path],
    ['GET', `${path}?raw=true`],
    ['GET', `${path}/versions`],
    ['GET', '/config/changes'],
    ['PUT', path],
    ['DELETE', path],
  ])('makes %s %s answer 503 with Retry-After', async (method, target) => {
    const away = (): ResultAsync<never, { kind: 'store-unavailable'; reason: string }> =>
      errAsync({ kind: 'store-unavailable', reason: 'away' })
    const configStore = Object.fromEntries(
      ['head', 'revisionAt', 'chain', 'snapshot', 'version', 'history', 'components', 'changes'].map((name) => [name, away]),
    )
    const { call } = await openApp({ ports: { configStore: configStore as never, transactions: { attempt: away, settle: away } } })
    const response = await call(method, target, method === 'PUT' ? { body: good, headers: createIt } : { headers: createIt })
    expect([response.status, (await problemOf(response))['code'], response.headers.get('retry-after')]).toEqual([
      503,
      'store-unavailable',
      '1',
    ])
  })

  it('does not keep a request beyond its deadline', async () => {
    const never = (): ResultAsync<never, never> => new ResultAsync(new Promise(() => {}))
    const { ports } = await openApp()
    const { call } = await openApp({ deadlineMs: 10, ports: { configStore: { ...ports.configStore, chain: never } } })
    expect((await problemOf(await call('GET', path)))['code']).toBe('deadline-exceeded')
  })

  it('tells a late writer that the outcome is unknown', async () => {
    const never = (): ResultAsync<never, never> => new ResultAsync(new Promise(() => {}))
    const { call } = await openApp({ deadlineMs: 10, ports: { transactions: { attempt: never, settle: never } } })
    const late = await problemOf(await put(call, path, 1))
    expect(late).toMatchObject({ code: 'deadline-exceeded', detail: expect.stringMatching(/unknown: look before/) })
  })

  it('answers a defect with 500 and says no more than the request id', async () => {
    const { ports } = await openApp()
    const chain = (): never => {
      throw new Error('the secret reason')
    }
    const { call, logged } = await openApp({ ports: { configStore: { ...ports.configStore, chain } } })
    const response = await call('GET', path)
    const text = await response.text()
    expect([response.status, text.includes('secret reason'), logged.map(({ level }) => level)]).toEqual([500, false, ['error']])
  })
})
