import { fakeClock } from '@cbp/core/testing'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { changeEvent, type EventServer, eventServer, heartbeat } from '../../../tests/event-server.ts'
import { type Ended, noHost, run, wallClock } from '../../../tests/harness.ts'
import type { Host } from '../../host.ts'
import { silenceMs } from './service-watch.ts'

const host: Host = { ...noHost, waiting: async () => ({ clock: wallClock, random: { fraction: () => 0 } }) }

let server: EventServer
beforeEach(async () => {
  server = await eventServer()
})
afterEach(() => server.stop())

type Watching = Readonly<{
  /** Waits until `text` was printed, to either stream. */
  printed: (text: string) => Promise<void>
  interrupt: () => Promise<Ended>
  ended: Promise<Ended>
}>

function watch(args: readonly string[] = [], watchHost: Host = host): Watching {
  const interrupting = new AbortController()
  const outputs: string[] = []
  const ended = run(watchHost, ['config', 'watch', '--url', server.url, '--json', ...args], {
    cancel: interrupting.signal,
    env: { CBP_TOKEN: 'secret' },
    onOutput: (text) => outputs.push(text),
  })
  return {
    printed: (text) => vi.waitFor(() => expect(outputs.some((output) => output.includes(text))).toBe(true), { timeout: 5000, interval: 5 }),
    interrupt: () => {
      interrupting.abort('SIGINT')
      return ended
    },
    ended,
  }
}

function revisions(stdout: string): readonly number[] {
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { revision: number }).revision]))
}

it('asks for what it was asked for, with the token of the environment', async () => {
  const watching = watch(['--component', 'payments', '--scope', '/production', '--since', 'e.3'])
  const visit = await server.visit()
  expect([visit.url, visit.lastEventId, visit.token]).toEqual([
    '/config/watch?component=payments&scope=%2Fproduction',
    'e.3',
    'Bearer secret',
  ])
  expect(await watching.interrupt()).toMatchObject({ code: 0 })
})

it('misses and repeats nothing when the service goes and comes back', async () => {
  const watching = watch()
  const first = await server.visit()
  first.stream()
  await first.send(heartbeat(5) + changeEvent(6))
  await watching.printed('"e.6"')
  await server.stop()
  await server.start()
  const second = await server.visit()
  expect(second.lastEventId).toBe('e.6')
  second.stream()
  await second.send(changeEvent(6) + changeEvent(7))
  await watching.printed('"e.7"')
  const { code, stdout } = await watching.interrupt()
  expect([code, revisions(stdout)]).toEqual([0, [6, 7]])
})

it('goes on after the last heartbeat where nothing has changed', async () => {
  const watching = watch()
  const first = await server.visit()
  first.stream()
  await first.send(heartbeat(5) + heartbeat(5) + heartbeat(4))
  first.cut()
  expect((await server.visit()).lastEventId).toBe('e.5')
  expect(await watching.interrupt()).toMatchObject({ code: 0, stdout: '' })
})

it('connects again when it hears nothing for longer than two heartbeats', async () => {
  const clock = fakeClock()
  const watching = watch([], { ...noHost, waiting: async () => ({ clock, random: { fraction: () => 0 } }) })
  const first = await server.visit()
  first.stream()
  await first.send(changeEvent(6))
  await watching.printed('"e.6"')
  await vi.waitFor(() => expect(clock.nextDeadline()).toBe(clock.now() + silenceMs))
  await clock.advance(silenceMs)
  expect((await server.visit()).lastEventId).toBe('e.6')
  const { stderr } = await watching.interrupt()
  expect(JSON.parse(stderr)).toEqual({ notice: 'reconnecting', detail: expect.stringContaining('nothing was heard for 40 s') })
})

it.each([
  ['text that is no JSON', 'id: e.7\ndata: {"revision":\n\n'],
  ['JSON of another shape', 'id: e.7\ndata: {"revision":7,"changes":[{"component":1}]}\n\n'],
  ['no object', 'id: e.7\ndata: 7\n\n'],
])('does not go beyond %s', async (_what, garbage) => {
  const watching = watch()
  const first = await server.visit()
  first.stream()
  await first.send(changeEvent(6) + garbage)
  const second = await server.visit()
  expect(second.lastEventId).toBe('e.6')
  second.stream()
  await second.send(`: noise\nwhat: is this\n\n${changeEvent(7)}`)
  await watching.printed('"e.7"')
  expect(revisions((await watching.interrupt()).stdout)).toEqual([6, 7])
})

it('goes on from the head, and says so, when the history was replaced', async () => {
  const watching = watch(['--since', 'old.9'])
  ;(await server.visit()).answer(410, { code: 'cursor-gone', head: 'new.2' })
  const second = await server.visit()
  expect(second.lastEventId).toBe('new.2')
  second.stream()
  await second.send(changeEvent(3, 'new'))
  await watching.printed('"new.3"')
  const { code, stderr } = await watching.interrupt()
  expect(code).toBe(0)
  expect(stderr).toContain('The history was replaced')
})

it('ends with exit code 1 when the history was replaced and --strict is given', async () => {
  const watching = watch(['--since', 'old.9', '--strict'])
  ;(await server.visit()).answer(410, { code: 'cursor-gone', head: 'new.2' })
  const { code, problem } = await watching.ended
  expect(code).toBe(1)
  expect(problem()).toMatchObject({ code: 'cursor-gone', cursor: 'old.9', head: 'new.2' })
})

it.each([
  [401, { code: 'invalid-token', detail: 'It has expired.' }, 1, 'cbp token mint'],
  [403, { code: 'insufficient-permission', detail: 'No.' }, 1, 'config:read'],
  [400, { code: 'invalid-cursor', detail: 'No cursor.' }, 2, 'No cursor'],
  [404, '<html>', 4, 'Is --url the address'],
  [503, { code: 'store-unavailable', detail: 'Locked.' }, 5, 'Try again'],
  [200, { hello: 'world' }, 1, 'is not the Config API'],
])('tells why a first connection was refused: %i', async (status, body, expected, told) => {
  const watching = watch()
  ;(await server.visit()).answer(status, body)
  const { code, stdout, stderr } = await watching.ended
  expect([code, stdout]).toEqual([expected, ''])
  expect(stderr).toContain(told)
})

it('ends with exit code 5 when nobody listens', async () => {
  await server.stop()
  expect(await watch().ended).toMatchObject({ code: 5, stderr: expect.stringContaining('ECONNREFUSED') })
  await server.start()
})

it('waits for a service that is overloaded after a while, and ends when its token has expired', async () => {
  const watching = watch()
  const first = await server.visit()
  first.stream()
  await first.send(heartbeat(1))
  first.cut()
  ;(await server.visit()).answer(503, { code: 'shutting-down' }, { 'retry-after': '0' })
  ;(await server.visit()).answer(401, { code: 'invalid-token' })
  expect(await watching.ended).toMatchObject({ code: 1 })
})

it('L6: shows each revision once and in order, wherever connections are cut', async () => {
  const last = 12
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 400 }), { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), async (cuts, pieceLength) => {
      const watching = watch(['--since', 'e.0'])
      for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
        const visit = await server.visit()
        const seen = Number(visit.lastEventId?.slice(2))
        const rest = Array.from({ length: last - seen }, (_, index) => changeEvent(seen + index + 1)).join('')
        visit.stream()
        const sent = rest.slice(0, cut)
        for (let start = 0; start < sent.length; start += pieceLength) await visit.send(sent.slice(start, start + pieceLength))
        if (cut < Number.POSITIVE_INFINITY) visit.cut()
      }
      await watching.printed(`"e.${last}"`)
      const { stdout } = await watching.interrupt()
      expect(revisions(stdout)).toEqual(Array.from({ length: last }, (_, index) => index + 1))
    }),
    { numRuns: 25, seed: 1 },
  )
})
