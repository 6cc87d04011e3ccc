import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createIt, openApp, openServer, problemOf, put, token } from '../../tests/support.ts'

const path = '/config/payments/retry.max-attempts'
const etagOf = (response: Response): string => response.headers.get('etag') ?? ''

describe('writes', () => {
  it('creates with 201, ETag and Location', async () => {
    const { call } = await openApp()
    const made = await put(call, `${path}?scope=/production`, { a: 1 })
    expect(made.status).toBe(201)
    expect(etagOf(made)).toMatch(/^"1-[0-9a-f]{32}"$/)
    expect(made.headers.get('location')).toBe(`${path}?scope=/production`)
    expect(await made.json()).toMatchObject({
      version: 1,
      revision: 1,
      value: { a: 1 },
      op: 'put',
      actor: 'https://issuer.test|tester',
      reason: 'test',
    })
  })

  it('replaces with 200, and creates again after a removal', async () => {
    const { call } = await openApp()
    const first = await put(call, path, 1)
    const second = await put(call, path, 2, { 'if-match': etagOf(first) })
    const removed = await call('DELETE', `${path}?reason=unused`, { headers: { 'if-match': etagOf(second) } })
    const again = await put(call, path, 3)
    expect([second.status, removed.status, again.status]).toEqual([200, 200, 201])
    expect(await removed.json()).toMatchObject({ version: 3, op: 'delete', reason: 'unused' })
    expect(await again.json()).toMatchObject({ version: 4 })
  })

  it('takes null as a value', async () => {
    const { call } = await openApp()
    await put(call, path, null)
    expect(await (await call('GET', path)).json()).toMatchObject({ value: null })
  })

  it('accepts the ETag of a compressed body', async () => {
    const { call } = await openApp()
    await put(call, path, 'x'.repeat(5000))
    const raw = await call('GET', `${path}?raw=true`, { headers: { 'accept-encoding': 'gzip' } })
    expect(etagOf(raw)).toMatch(/-gzip"$/)
    expect((await put(call, path, 2, { 'if-match': etagOf(raw) })).status).toBe(200)
  })

  it('rolls back to an older version', async () => {
    const { call } = await openApp()
    const first = await put(call, path, { a: 1 })
    const second = await put(call, path, { a: 2 }, { 'if-match': etagOf(first) })
    const back = await call('POST', `${path}/rollback`, {
      body: { toVersion: 1, reason: 'worse' },
      headers: { 'if-match': etagOf(second) },
    })
    expect([back.status, await back.json()]).toMatchObject([200, { version: 3, value: { a: 1 }, restoredFrom: 1 }])
  })

  it('lets exactly one of two racing writers win', async () => {
    const { call, url } = await openServer()
    const first = await put(call, path, 1)
    const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json', 'if-match': etagOf(first) }
    const race = (value: number): Promise<Response> =>
      fetch(url + path, { method: 'PUT', headers, body: JSON.stringify({ value, reason: 'race' }) })
    const statuses = (await Promise.all([race(2), race(3)])).map(({ status }) => status)
    expect(statuses.toSorted((left, right) => left - right)).toEqual([200, 412])
  })

  it('records the request id and trace of the caller', async () => {
    const { call, ports } = await openApp()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const made = await put(call, path, 1, { ...createIt, 'x-request-id': 'mine-1', traceparent })
    expect([made.headers.get('x-request-id'), await made.json()]).toMatchObject(['mine-1', { requestId: 'mine-1' }])
    const events = await ports.outbox.pending([{ stream: 'config-payments' as never, after: 0 }], 10)
    expect(events._unsafeUnwrap()[0]?.traceparent).toBe(traceparent)
  })
})

describe('reads', () => {
  it('resolves along the scope and tells the provenance', async () => {
    const { call } = await openApp()
    await put(call, path, { a: 1, b: 1 })
    await put(call, `${path}?scope=/production`, { b: 2 })
    expect(await (await call('GET', `${path}?scope=/production/first-cu`)).json()).toEqual({
      component: 'payments',
      key: 'retry.max-attempts',
      scope: '/production/first-cu',
      value: { a: 1, b: 2 },
      version: 1,
      revision: 2,
      provenance: [
        { pointer: '/a', scope: '/', version: 1, revision: 1 },
        { pointer: '/b', scope: '/production', version: 1, revision: 2 },
      ],
      entryEtag: null,
    })
  })

  it.each(['', '?raw=true'])('answers 304 to the ETag it gave%s, with the fields of a 200', async (query) => {
    const { call } = await openApp()
    await put(call, path, 1)
    const full = await call('GET', path + query)
    for (const tags of [etagOf(full), `W/${etagOf(full)}`, `"other", ${etagOf(full)}`, '*']) {
      const again = await call('GET', path + query, { headers: { 'if-none-match': tags } })
      expect([again.status, await again.text(), etagOf(again)]).toEqual([304, '', etagOf(full)])
      expect(again.headers.get('cache-control')).toBe(full.headers.get('cache-control'))
      expect(again.headers.get('vary')).toBe(full.headers.get('vary'))
    }
    expect((await call('GET', path + query, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })

  it('marks answers as private to their caller', async () => {
    const { call } = await openApp()
    const response = await call('GET', '/config/delivery')
    expect(response.headers.get('cache-control')).toMatch(/private/)
    expect(response.headers.get('vary')).toMatch(/authorization/i)
  })

  it('compresses what is worth it, under a tag of its own', async () => {
    const { call } = await openApp()
    await put(call, path, 'x'.repeat(5000))
    const plain = await call('GET', path)
    const packed = await call('GET', path, { headers: { 'accept-encoding': 'br, gzip;q=0.5' } })
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(gunzipSync(Buffer.from(await packed.arrayBuffer())).toString()).toBe(await plain.text())
    expect(etagOf(packed)).toBe(etagOf(plain).replace(/"$/, '-gzip"'))
    const again = await call('GET', path, { headers: { 'accept-encoding': 'gzip', 'if-none-match': etagOf(packed) } })
    expect([again.status, etagOf(again)]).toEqual([304, etagOf(packed)])
  })

  it.each(['identity', 'gzip;q=0', 'br'])('does not compress for Accept-Encoding: %s', async (accepted) => {
    const { call } = await openApp()
    await put(call, path, 'x'.repeat(5000))
    expect((await call('GET', path, { headers: { 'accept-encoding': accepted } })).headers.get('content-encoding')).toBeNull()
  })

  it('leaves small bodies as they are', async () => {
    const { call } = await openApp()
    await put(call, path, 1)
    expect((await call('GET', path, { headers: { 'accept-encoding': 'gzip' } })).headers.get('content-encoding')).toBeNull()
  })

  it.each(['/config', '/config/payments', path, '/health', '/openapi.json', '/docs', '/config/watch'])(
    'answers HEAD %s with the fields of GET and no body',
    async (target) => {
      const { url, call } = await openServer()
      await put(call, path, 1)
      const headers = { authorization: `Bearer ${await token()}` }
      const head = await fetch(url + target, { method: 'HEAD', headers })
      expect([head.status, await head.text()]).toEqual([200, ''])
      if (target === '/config/watch' || target === '/health') return
      const get = await fetch(url + target, { headers })
      const kept = (response: Response): unknown =>
        [...response.headers].filter(([name]) => !['date', 'x-request-id', 'connection', 'keep-alive'].includes(name))
      expect(kept(head)).toEqual(kept(get))
    },
  )

  it('reads the past by revision and by instant', async () => {
    const { call } = await openApp()
    const first = await put(call, path, 1)
    const { recordedAt } = (await first.json()) as { recordedAt: string }
    const before = new Date(Date.parse(recordedAt) - 1).toISOString()
    await put(call, path, 2, { 'if-match': etagOf(first) })
    expect(await (await call('GET', `${path}?asOf=1`)).json()).toMatchObject({ value: 1 })
    expect(await (await call('GET', `${path}?asOf=2&raw=true`)).json()).toMatchObject({ value: 2 })
    expect((await call('GET', `${path}?asOf=${before}`)).status).toBe(404)
    expect((await call('GET', `${path}?asOf=${before.replace('Z', '+00:00')}`)).status).toBe(404)
    expect(await (await call('GET', `/config/payments?asOf=1`)).json()).toMatchObject({ revision: 1, entries: [{ value: 1 }] })
  })

  it('gives a snapshot with the cursor from which a watch goes on', async () => {
    const { call } = await openApp()
    await put(call, path, 1)
    const snapshot = await call('GET', '/config/payments?scope=/production')
    expect(await snapshot.json()).toMatchObject({
      component: 'payments',
      scope: '/production',
      revision: 1,
      cursor: 'e1.1',
      entries: [{ key: 'retry.max-attempts', value: 1 }],
    })
    expect((await call('GET', '/config/payments?scope=/production', { headers: { 'if-none-match': etagOf(snapshot) } })).status).toBe(304)
  })

  it('pages through components and versions', async () => {
    const { call } = await openApp()
    let etag = etagOf(await put(call, path, 0))
    for (let value = 1; value < 5; value += 1) etag = etagOf(await put(call, path, value, { 'if-match': etag }))
    const all = async (target: string): Promise<unknown[]> => {
      const items: unknown[] = []
      for (let cursor = ''; ; ) {
        const page = (await (await call('GET', `${target}?limit=2${cursor}`)).json()) as { items: unknown[]; nextCursor: string | null }
        items.push(...page.items)
        if (page.nextCursor === null) return items
        cursor = `&cursor=${page.nextCursor}`
      }
    }
    expect(await all(`${path}/versions`)).toMatchObject([5, 4, 3, 2, 1].map((version) => ({ version })))
    expect(await all('/config')).toMatchObject(
      ['delivery', 'monitoring', 'payments', 'recovery', 'security'].map((component) => ({ component })),
    )
    expect((await call('GET', `${path}/versions?cursor=${Buffer.from('component:payments').toString('base64url')}`)).status).toBe(400)
  })

  it('shows single versions and what changed between them', async () => {
    const { call } = await openApp()
    const first = await put(call, path, { a: 1 })
    await put(call, path, { a: 2 }, { 'if-match': etagOf(first) })
    const version = await call('GET', `${path}/versions/1`)
    expect([await version.json(), etagOf(version)]).toMatchObject([{ version: 1, value: { a: 1 } }, etagOf(first)])
    expect(await (await call('GET', `${path}/diff?from=1&to=2`)).json()).toMatchObject({
      differences: [{ op: 'replace', pointer: '/a', before: 1, after: 2 }],
    })
  })
})

describe('tokens confined to scopes', () => {
  const confined = async (): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await token({ cbp_scopes: ['/production'] })}`,
  })

  it.each([
    ['GET', `${path}?scope=/production`, 200],
    ['GET', `${path}?scope=/production/first-cu`, 200],
    ['GET', path, 403],
    ['GET', `${path}?scope=/productions`, 403],
    ['GET', '/config/payments', 403],
    ['GET', `${path}/versions`, 403],
    ['GET', '/config/watch?scope=/staging', 403],
    ['GET', '/config/changes?scope=/staging', 403],
    ['PUT', path, 403],
    ['PUT', `${path}?scope=/staging`, 403],
    ['DELETE', path, 403],
  ])('answers %s %s with %i', async (method, target, status) => {
    const { call } = await openApp()
    await put(call, path, 1)
    const headers = await confined()
    const response = await call(
      method,
      target,
      method === 'PUT' ? { body: { value: 1, reason: 'x' }, headers: { ...headers, ...createIt } } : { headers },
    )
    expect(response.status).toBe(status)
  })

  it('hear of changes at their scopes, below them and above them alone', async () => {
    const { call } = await openApp()
    for (const scope of ['/', '/staging', '/production', '/production/first-cu']) await put(call, `${path}?scope=${scope}`, scope)
    const heard = (await (await call('GET', '/config/changes?since=0', { headers: await confined() })).json()) as {
      units: { changes: { scope: string }[] }[]
      cursor: string
    }
    expect(heard.units.flatMap(({ changes }) => changes.map(({ scope }) => scope))).toEqual(['/', '/production', '/production/first-cu'])
    expect(heard.cursor).toBe('e1.4')
  })
})

it('keeps its problems private', async () => {
  const { call } = await openApp()
  const response = await call('GET', path)
  expect([response.headers.get('cache-control'), (await problemOf(response))['code']]).toEqual(['private, no-store', 'config-not-found'])
})
