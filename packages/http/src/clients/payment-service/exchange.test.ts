import type { ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answer, serve } from '../../../tests/payment-service.ts'
import { systemClock } from '../../assembly/platform/index.ts'
import { exchange, type Request } from './exchange.ts'

const get: Request = { method: 'GET', path: '/', headers: {}, body: null }

describe('a request that was given up', () => {
  it('is not sent when its connection comes free later', async () => {
    const waiting: ServerResponse[] = []
    const { url, seen } = await serve((_, response) => void waiting.push(response))
    const pool = new Pool(url, { connections: 1 })
    onTestFinished(() => pool.destroy())
    const limits = { timeoutMs: 5000, answerLimitBytes: 1000 }
    const never = new AbortController().signal
    const first = exchange(pool, systemClock, get, limits, never)
    while (waiting.length === 0) await systemClock.sleep(5)
    expect(await exchange(pool, systemClock, get, { ...limits, timeoutMs: 50 }, never)).toMatchObject({ kind: 'unanswered', sent: false })
    for (const response of waiting.splice(0)) answer(response, 200, {})
    expect(await first).toMatchObject({ kind: 'answer', status: 200 })
    const third = exchange(pool, systemClock, { ...get, path: '/third' }, limits, never)
    while (waiting.length === 0) await systemClock.sleep(5)
    for (const response of waiting.splice(0)) answer(response, 200, {})
    await third
    expect(seen.map(({ url: path }) => path)).toEqual(['/', '/third'])
  })
})
