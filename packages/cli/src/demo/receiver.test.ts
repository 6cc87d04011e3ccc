import { createHmac, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openReceiver, type Receiver } from './receiver.ts'
import { signatureFault } from './signature.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const vector = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: '1614265330',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}
const body = '{"test": 2432232314}'
const at = 1614265330_000

describe('the signature of a message', () => {
  it('is good by the published example', () => {
    expect(signatureFault(secret, vector, body, at)).toBeNull()
  })

  it('may be one of several', () => {
    expect(signatureFault(secret, { ...vector, signature: `v1,b2xk v2,x ${vector.signature}` }, body, at)).toBeNull()
  })

  it.each([
    ['another body', vector, `${body} `, at],
    ['another id', { ...vector, id: 'msg_x' }, body, at],
    ['another time', { ...vector, timestamp: '1614265331' }, body, at],
    ['no signature', { ...vector, signature: '' }, body, at],
    ['a signature of another version', { ...vector, signature: vector.signature.replace('v1', 'v1a') }, body, at],
    ['an empty signature', { ...vector, signature: 'v1,' }, body, at],
    ['no time', { ...vector, timestamp: '' }, body, at],
    ['a time long ago', vector, body, at + 301_000],
    ['a time to come', vector, body, at - 301_000],
  ])('is not good with %s', (_what, headers, text, now) => {
    expect(signatureFault(secret, headers, text, now)).not.toBeNull()
  })
})

describe('the receiver', () => {
  let receiver: Receiver
  beforeEach(async () => {
    receiver = await openReceiver()
    receiver.trust(secret)
  })
  afterEach(() => receiver[Symbol.asyncDispose]())

  const send = async (text: string, id: string = randomUUID(), to: string = receiver.url): Promise<number> => {
    const timestamp = String(Math.floor(Date.now() / 1000))
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    const signature = `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${text}`).digest('base64')}`
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
    return (await fetch(to, { method: 'POST', headers, body: text })).status
  }

  it('hears what came before and what comes later, each id once', async () => {
    const message = JSON.stringify({ type: 'PAYMENT_CREATED', payload: { id: 'p' } })
    const later = receiver.hear(({ type }) => type === 'PAYMENT_CREATED', AbortSignal.timeout(5000))
    expect([await send(message, 'one'), await send(message, 'one')]).toEqual([204, 204])
    expect([await later, await receiver.hear(({ id }) => id === 'one', AbortSignal.timeout(5000))]).toEqual([
      { id: 'one', type: 'PAYMENT_CREATED', payload: { id: 'p' } },
      { id: 'one', type: 'PAYMENT_CREATED', payload: { id: 'p' } },
    ])
  })

  it('refuses what is not signed, and says why', async () => {
    expect((await fetch(receiver.url, { method: 'POST', body: '{}' })).status).toBe(401)
    expect(receiver.lastFault()).toContain('time')
  })

  it('is found at its own path only', async () => {
    expect(await send('{}', 'one', new URL('/', receiver.url).href)).toBe(404)
    expect((await fetch(receiver.url)).status).toBe(404)
  })

  it('gives up when it is told to', async () => {
    expect(await receiver.hear(() => true, AbortSignal.timeout(20))).toBeNull()
  })
})
