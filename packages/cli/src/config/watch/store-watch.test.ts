import { type Core, storeUnavailable } from '@cbp/core'
import { err } from 'neverthrow'
import { expect, it } from 'vitest'
import { type Ended, memoryHost, type RunOptions, run } from '../../../tests/harness.ts'
import type { Host } from '../../host.ts'

async function set(host: Host, key: string, scope = '/'): Promise<void> {
  const { code } = await run(host, ['config', 'set', 'payments', key, '1', '--reason', 'r', '--scope', scope])
  expect(code).toBe(0)
}

/** Watches until `last` was printed, then interrupts. */
function watchUntil(host: Host, last: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const interrupting = new AbortController()
  return run(host, ['config', 'watch', ...args], {
    ...options,
    cancel: interrupting.signal,
    onOutput: (text) => {
      if (text.includes(last)) interrupting.abort('SIGINT')
    },
  })
}

it('prints a line for each change, and ends with 0 when interrupted', async () => {
  const host = memoryHost()
  await set(host, 'first')
  await set(host, 'second', '/production')
  const { code, stdout, stderr } = await watchUntil(host, 'second', ['--since', '0'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatchInlineSnapshot(`
    "fake.1  set    payments/first  /  version 1
    fake.2  set    payments/second  /production  version 1
    "
  `)
})

it('prints one JSON document a line for each revision', async () => {
  const host = memoryHost()
  await set(host, 'first')
  const { stdout } = await watchUntil(host, 'first', ['--since', '0', '--json'])
  const change = { component: 'payments', key: 'first', scope: '/', version: 1, op: 'put' }
  expect(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([{ cursor: 'fake.1', revision: 1, changes: [change] }])
})

it('begins after the head unless told otherwise, and hears what comes', async () => {
  const host = memoryHost({}, (core) => whenWatched(core, () => set(host, 'second')))
  await set(host, 'first')
  const { stdout } = await watchUntil(host, 'second', [])
  expect(stdout).not.toContain('first')
})

it('selects a scope with its ancestors, and a component', async () => {
  const host = memoryHost()
  await set(host, 'root')
  await set(host, 'elsewhere', '/staging')
  await set(host, 'below', '/production/first-cu')
  await set(host, 'here', '/production')
  const { stdout } = await watchUntil(host, 'here', ['--since', '0', '--scope', '/production', '--component', 'payments'])
  expect(stdout.match(/payments\/\S+/g)).toEqual(['payments/root', 'payments/here'])
})

it('goes on from the head, and says so, when the cursor belongs to another history', async () => {
  const host = memoryHost({}, (core) => whenWatched(core, () => set(host, 'second')))
  await set(host, 'first')
  const { code, stdout, stderr } = await watchUntil(host, 'second', ['--since', 'other.7'])
  expect([code, stdout.includes('first')]).toEqual([0, false])
  expect(stderr).toContain('the watch goes on from its head, fake.1')
})

it.each([
  ['other.7', 1, 'is not part of this store'],
  ['99', 1, 'is not part of this store'],
  ['not a cursor', 2, 'is not a cursor'],
])('refuses the cursor %s with --strict', async (since, expected, told) => {
  const { code, stderr } = await run(memoryHost(), ['config', 'watch', '--strict', '--since', since])
  expect(code).toBe(expected)
  expect(stderr).toContain(told)
})

it('waits for a store that goes away', async () => {
  const host = memoryHost({}, failingOnce)
  await set(host, 'first')
  const { code, stdout, stderr } = await watchUntil(host, 'first', ['--since', '0'])
  expect([code, stdout.includes('first')]).toEqual([0, true])
  expect(stderr).toContain('The store does not answer: gone. Waiting for it.')
})

/** Does something once a watch stands. */
function whenWatched(core: Core, act: () => Promise<void>): Core {
  return { ...core, config: { ...core.config, watch: (...inputs) => core.config.watch(...inputs).andTee(() => void act()) } }
}

function failingOnce(core: Core): Core {
  let failed = false
  const watch: Core['config']['watch'] = (...inputs) =>
    core.config.watch(...inputs).map((opened) => ({
      ...opened,
      next: async (waitMs) => {
        if (failed) return opened.next(waitMs)
        failed = true
        return err(storeUnavailable('gone'))
      },
    }))
  return { ...core, config: { ...core.config, watch } }
}
