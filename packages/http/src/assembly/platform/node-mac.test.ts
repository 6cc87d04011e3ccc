import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { nodeMac, nodeSecretSource } from './index.ts'

function base64OfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}

/** Cases 1, 2, 6 and 7 of RFC 4231, 4: those whose data is text. */
const vectors = [
  ['0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  ['4a656665', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  [
    'aa'.repeat(131),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    'aa'.repeat(131),
    'This is a test using a larger than block-size key and a larger than block-size data. ' +
      'The key needs to be hashed before being used by the HMAC algorithm.',
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
] as const

describe('message authentication', () => {
  it.each(vectors)('answers as RFC 4231 says (key %s)', (key, message, mac) => {
    expect(nodeMac.hmacSha256(base64OfHex(key), message)).toBe(base64OfHex(mac))
  })

  it('makes signatures that receivers with the Standard Webhooks library accept', () => {
    fc.assert(
      fc.property(fc.integer({ min: 24, max: 64 }), fc.jsonValue(), (bytes, value) => {
        const key = nodeSecretSource.base64(bytes)
        const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W'
        const timestamp = String(Math.floor(Date.now() / 1000))
        const body = JSON.stringify({ value })
        const signature = `v1,${nodeMac.hmacSha256(key, `${id}.${timestamp}.${body}`)}`
        const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
        expect(new Webhook(`whsec_${key}`).verify(body, headers)).toEqual(JSON.parse(body))
        expect(() => new Webhook(`whsec_${key}`).verify(`${body} `, headers)).toThrow('No matching signature')
      }),
    )
  })

  it('tells equal texts from others, whatever their lengths', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (left, right) => {
        expect([nodeMac.equal(left, right), nodeMac.equal(left, left)]).toEqual([left === right, true])
      }),
    )
    expect(nodeMac.equal('\uD800', '\uFFFD')).toBe(false)
  })
})

describe('the source of secrets', () => {
  it('gives as many bytes as asked for, never the same', () => {
    const secrets = Array.from({ length: 1000 }, () => nodeSecretSource.base64(32))
    expect(new Set(secrets).size).toBe(1000)
    expect(secrets.every((secret) => Buffer.from(secret, 'base64').length === 32 && /^[A-Za-z0-9+/]{43}=$/.test(secret))).toBe(true)
  })
})
