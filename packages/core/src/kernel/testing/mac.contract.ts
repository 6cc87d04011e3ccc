import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Mac } from '../mac.ts'
import { anyText } from './arbitraries.ts'
import { toBase64 } from './base-64.ts'
import { type Harness, over } from './harness.ts'
import { itHolds } from './property.ts'

export type MacHarness = Harness<Readonly<{ mac: Mac }>>

type Vector = Readonly<{ name: string; keyBase64: string; message: string; hex: string }>

function keyOf(byte: number, count: number): string {
  return toBase64(Array.from({ length: count }, () => byte))
}

/** Those of RFC 4231 whose message is text, then text beyond ASCII, then the example of Standard Webhooks. */
const vectors: readonly Vector[] = [
  {
    name: 'RFC 4231, case 1',
    keyBase64: keyOf(0x0b, 20),
    message: 'Hi There',
    hex: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    name: 'RFC 4231, case 2: a key shorter than the result',
    keyBase64: 'SmVmZQ==',
    message: 'what do ya want for nothing?',
    hex: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    name: 'RFC 4231, case 6: a key longer than a block',
    keyBase64: keyOf(0xaa, 131),
    message: 'Test Using Larger Than Block-Size Key - Hash Key First',
    hex: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    name: 'RFC 4231, case 7: a key and a message longer than a block',
    keyBase64: keyOf(0xaa, 131),
    message:
      'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
    hex: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  },
  {
    name: 'nothing under no key',
    keyBase64: '',
    message: '',
    hex: 'b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad',
  },
  {
    name: 'text of two, three and four bytes a letter',
    keyBase64: 'SmVmZQ==',
    message: 'é漢😀',
    hex: 'e5e2ec7af3a6ca42d4e245d93930570e2522b18ad332723be066be59b7c9ace8',
  },
  {
    name: 'the example of Standard Webhooks',
    keyBase64: 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    message: 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}',
    hex: '83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1',
  },
]

/** The laws of `Mac`. */
export function macContract(open: () => Promise<MacHarness>): void {
  describe('Mac', () => {
    it.each(vectors)('authenticates $name', async ({ keyBase64, message, hex }) => {
      await over(open, async ({ mac }) => {
        expect(mac.hmacSha256(keyBase64, message)).toBe(toBase64(hex.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? []))
      })()
    })

    itHolds(
      'tells texts that are the same from those that are not, whatever their lengths',
      100,
      fc.asyncProperty(anyText, anyText, (left, right) =>
        over(open, async ({ mac }) => {
          expect([mac.equal(left, right), mac.equal(left, left), mac.equal(left, `${left}x`)]).toEqual([left === right, true, false])
        })(),
      ),
    )
  })
}
