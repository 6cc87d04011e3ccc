import { execFile } from 'node:child_process'
import { inspect, promisify } from 'node:util'
import { secretValue } from '@cbp/core'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'

const child = new URL('../../tests/children/log-lines.ts', import.meta.url).pathname

describe('the log', () => {
  it('shows no secret and nothing personal, whatever it was given, and keeps ids readable', async () => {
    const { stderr } = await promisify(execFile)(process.execPath, ['--conditions=@cbp/source', child])
    for (const secret of ['hunter2', 'jane', 'example.com', '4111111111111111']) expect(stderr).not.toContain(secret)
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    // What the end of the process writes may overtake what was being written.
    const [warning, request] = ['warn', 'info'].map((level) => lines.find((line) => line['level'] === level))
    expect(lines).toHaveLength(2)
    expect(warning).toMatchObject({ msg: 'failed for [masked email] with [secret]', password: '[masked secret]', status: 503 })
    expect(request).toMatchObject({
      requestId: '0189a5c2-1234-7abc-8def-0123456789ab',
      client: 'issuer|shop',
      path: '/users/[masked email]/[masked card]',
    })
  })
})

describe('a secret value', () => {
  const text = 'hunter2-hunter2'
  const secret = secretValue(text)

  it('is told to whom asks for it by name', () => {
    expect(secret.reveal()).toBe(text)
  })

  it.each<readonly [string, () => unknown]>([
    ['String()', () => String(secret)],
    ['a template', () => `${secret as unknown as string}`],
    ['joining', () => [secret, secret].join()],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['util.inspect', () => inspect({ deep: { secret } }, { depth: 9, showHidden: true, getters: true })],
    ['entries', () => JSON.stringify([Object.entries(secret), Object.keys(secret), { ...secret }])],
    [
      'values',
      () =>
        Object.values(secret)
          .map((member: unknown) => (typeof member === 'function' ? String((member as () => unknown)()) : member))
          .join(),
    ],
    [
      'for in',
      () => {
        const seen: string[] = []
        for (const name in secret) seen.push(`${name}${String((secret as unknown as Record<string, unknown>)[name])}`)
        return seen.join()
      },
    ],
    [
      'pino',
      () => {
        const lines: string[] = []
        pino({}, { write: (line) => void lines.push(line) }).info({ secret, deep: { secret } }, 'logged %s %j', secret, secret)
        return lines.join()
      },
    ],
    ['an error', () => new Error(`failed: ${secret as unknown as string}`, { cause: secret }).message],
    ['error inspection', () => inspect(new Error('failed', { cause: secret }))],
  ])('shows nothing through %s', (_how, show) => {
    expect(String(show())).not.toContain('hunter2')
  })

  it('cannot be copied, changed or taken apart', () => {
    expect(() => structuredClone(secret)).toThrow()
    expect(() => Object.assign(secret, { reveal: () => 'other' })).toThrow()
    expect(Object.isFrozen(secret)).toBe(true)
  })
})
