import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyInstant, anyText } from '../kernel/testing/arbitraries.ts'
import { fakeMac } from '../kernel/testing/fake-mac.ts'
import { fakeSecretSource } from '../kernel/testing/fake-secret-source.ts'
import { itHolds } from '../kernel/testing/property.ts'
import { sign, verify } from './signature.ts'
import { newWebhookSecret, parseWebhookSecret, type WebhookSecret } from './webhook-secret.ts'
import type { SignedMessage } from './webhooks-service.ts'

const mac = fakeMac()
const source = fakeSecretSource()
const secret = newWebhookSecret(source)
const other = newWebhookSecret(source)
const now = 1_614_265_330_000
const seconds = now / 1000
const body = '{"test": 2432232314}'

const anyMessageId = fc.stringMatching(/^[!-\-/-~]{1,40}$/)

function signed(changed: Partial<SignedMessage> = {}, by: WebhookSecret = secret): SignedMessage {
  const id = changed.id ?? 'msg_1'
  const timestamp = changed.timestamp ?? String(seconds)
  return { id, timestamp, signature: sign(mac, by, id, Number(timestamp), body), body, ...changed }
}

function holds(message: SignedMessage, secrets: readonly WebhookSecret[] = [secret]): boolean {
  return verify(mac, secrets, now, message).isOk()
}

describe('sign', () => {
  it('makes the signature of the example of Standard Webhooks', () => {
    const example = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' as WebhookSecret
    const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    expect(sign(mac, example, 'msg_p5jXN8AQM9LWM0D4loKWxJek', seconds, body)).toBe(signature)
  })
})

describe('verify', () => {
  itHolds(
    'L16: accepts what was signed with any of the secrets, within 300 seconds on both sides',
    200,
    fc.asyncProperty(anyMessageId, anyText, anyInstant, fc.integer({ min: -300, max: 300 }), async (id, text, at, skew) => {
      const sentAt = Math.floor(at / 1000) + skew
      const message = { id, timestamp: String(sentAt), signature: sign(mac, secret, id, sentAt, text), body: text }
      expect(verify(mac, [other, secret], at, message)._unsafeUnwrap()).toBe(id)
    }),
  )

  itHolds(
    'L16: refuses a message of which anything was changed',
    200,
    fc.asyncProperty(
      fc.constantFrom('id', 'timestamp', 'signature', 'body'),
      fc.nat(),
      fc.constantFrom('0', '1', 'a', '', ' '),
      async (part, place, letter) => {
        const message = signed()
        const text = message[part as 'body']
        const at = place % text.length
        const changed = `${text.slice(0, at)}${letter}${text.slice(at + 1)}`
        fc.pre(changed !== text)
        expect(holds({ ...message, [part]: changed })).toBe(false)
      },
    ),
  )

  it.each<readonly [string, SignedMessage]>([
    ['of another secret', signed({}, other)],
    ['301 seconds old', signed({ timestamp: String(seconds - 301) })],
    ['301 seconds ahead', signed({ timestamp: String(seconds + 301) })],
    ['without an id', { ...signed(), id: null }],
    ['without a time', { ...signed(), timestamp: null }],
    ['without a signature', { ...signed(), signature: null }],
    ['with an empty signature', signed({ signature: '' })],
    ['with the bare version', signed({ signature: 'v1,' })],
    ['with a signature cut off', signed({ signature: signed().signature?.slice(0, -4) ?? null })],
    ['with the signature of another id', { ...signed({ id: 'msg_2' }), id: 'msg_1' }],
    ['with a body written anew', { ...signed(), body: JSON.stringify(JSON.parse(body)) }],
    ['of another version', signed({ signature: `v1a,${signed().signature?.slice(3)}` })],
    ['with an empty id', signed({ id: '' })],
    ['with an id that is too long', signed({ id: 'x'.repeat(257) })],
    ['with an id that holds a full stop', signed({ id: 'msg.1' })],
    ['with an id that is not visible', signed({ id: 'msg 1' })],
    ['with a time that is no whole number', signed({ timestamp: `${seconds}.0` })],
    ['with a time in another notation', signed({ timestamp: `0x${seconds.toString(16)}` })],
    ['with a signed time', signed({ timestamp: `+${seconds}` })],
  ])('L16: refuses a message %s', (_name, message) => {
    expect(holds(message)).toBe(false)
  })

  it('L16: refuses signed content that was cut into another id and body', () => {
    const signature = sign(mac, secret, 'a', seconds, `${seconds}.x`)
    const timestamp = String(seconds)
    expect(holds({ id: 'a', timestamp, signature, body: `${seconds}.x` })).toBe(true)
    expect(holds({ id: `a.${seconds}`, timestamp, signature, body: 'x' })).toBe(false)
  })

  it('finds the right signature among others, of other versions too', () => {
    const { signature } = signed()
    expect(holds(signed({ signature: `v1a,abc ${signed({}, other).signature} ${signature}` }))).toBe(true)
    expect(holds(signed({ signature: `${'v9,x '.repeat(40)}${signature}` }))).toBe(true)
  })

  it('looks at a bounded number of signatures', () => {
    const { signature } = signed()
    expect(holds(signed({ signature: `${'v1,x '.repeat(15)}${signature}` }))).toBe(true)
    expect(holds(signed({ signature: `${'v1,x '.repeat(16)}${signature}` }))).toBe(false)
    expect(holds(signed({ signature: `${'v9,x '.repeat(1000)}${signature}` }))).toBe(false)
  })

  it('accepts nothing without a secret', () => {
    expect(holds(signed(), [])).toBe(false)
  })
})

describe('parseWebhookSecret', () => {
  itHolds(
    'accepts 24 to 64 bytes, and names neither more nor less of a secret that it refuses',
    100,
    fc.asyncProperty(fc.integer({ min: 1, max: 80 }), async (bytes) => {
      const text = `whsec_${source.base64(bytes)}`
      const parsed = parseWebhookSecret(text)
      expect(parsed.isOk()).toBe(bytes >= 24 && bytes <= 64)
      if (parsed.isErr()) expect(parsed.error.reason).not.toContain(text.slice(6))
    }),
  )

  it.each([
    '',
    'whsec_',
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_',
  ])('refuses "%s"', (text) => {
    expect(parseWebhookSecret(text).isErr()).toBe(true)
  })
})
