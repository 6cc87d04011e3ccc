import { storeUnavailable } from '@cbp/core'
import { errAsync, okAsync } from 'neverthrow'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type EventServer, eventServer } from '../../tests/event-server.ts'
import { memoryHost, noHost, run } from '../../tests/harness.ts'

let server: EventServer
beforeEach(async () => {
  server = await eventServer()
})
afterEach(() => server.stop())

it('passes over a store that answers', async () => {
  const { code, json } = await run(memoryHost(), ['health', '--json'])
  expect(code).toBe(0)
  expect(json()).toMatchObject({ status: 'pass', checks: { database: { status: 'pass' }, queue: { status: 'pass' } } })
})

it('fails over a store that does not, with exit code 5', async () => {
  const host = memoryHost({}, (core) => ({ ...core, events: { ...core.events, backlog: () => errAsync(storeUnavailable('locked')) } }))
  const { code, json } = await run(host, ['health', '--json'])
  expect(code).toBe(5)
  expect(json()).toMatchObject({ status: 'fail', checks: { queue: { status: 'fail' } } })
})

it('warns of what waits for an operator', async () => {
  const host = memoryHost({}, (core) => ({ ...core, events: { ...core.events, deadCount: () => okAsync(1) } }))
  const { code, json } = await run(host, ['health', '--json'])
  const output = '1 dead letter waits for an operator; 0 events and 0 webhooks wait'
  expect([code, json()]).toMatchObject([0, { status: 'warn', checks: { queue: { status: 'warn', output } } }])
})

const failing = { status: 'fail', checks: { database: { status: 'fail', output: 'locked' } } }

it.each([
  [200, { status: 'pass', checks: {} }, 0],
  [200, { status: 'warn', checks: { queue: { status: 'warn' } } }, 0],
  [503, failing, 5],
  [200, { hello: 'world' }, 5],
  [404, 'no', 4],
])('tells what a service says of itself: %i %j', async (status, body, expected) => {
  const ended = run(noHost, ['health', '--url', `${server.url}/below/`, '--json'])
  const visit = await server.visit()
  visit.answer(status, body)
  expect([visit.url, (await ended).code]).toEqual(['/below/health', expected])
})

it('ends with exit code 5 when no service answers', async () => {
  await server.stop()
  const { code, stdout, stderr } = await run(noHost, ['health', '--url', server.url])
  expect([code, stdout]).toEqual([5, ''])
  expect(stderr).toContain('Start one with: cbp serve')
  await server.start()
})

it.each(['127.0.0.1:8080', 'ftp://127.0.0.1', 'http://user:password@127.0.0.1'])('refuses the address %s', async (url) => {
  expect(await run(noHost, ['health', '--url', url])).toMatchObject({ code: 2 })
})
