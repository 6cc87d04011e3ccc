import { describe, expect, it } from 'vitest'
import type { Digest } from '../digest.ts'
import { type Harness, over } from './harness.ts'

export type DigestHarness = Harness<Readonly<{ digest: Digest }>>

/** Short and long messages of FIPS 180-4 and the NIST example files, then text beyond ASCII. */
const vectors: readonly (readonly [string, string, string])[] = [
  ['nothing', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['one block', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'two blocks',
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  [
    'three blocks',
    'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
    'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
  ],
  ['a million letters', 'a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ['55 bytes, the most that one block takes', 'a'.repeat(55), '9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318'],
  ['56 bytes, the fewest that need two', 'a'.repeat(56), 'b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a'],
  ['64 bytes', 'a'.repeat(64), 'ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb'],
  ['text of two, three and four bytes a letter', 'é漢😀', '3ea0588400cb4af7b15d0edd7dc2fe1e359a94ab6822abe8c535f4281f330a20'],
  ['a lone surrogate, as the replacement character', 'a\ud800b', '05087813392efc16fe8ff448920c6328e53af865df39419436659d9ffda90f7b'],
]

/** The laws of `Digest`. */
export function digestContract(open: () => Promise<DigestHarness>): void {
  describe('Digest', () => {
    it.each(vectors)('hashes %s', async (_name, text, expected) => {
      await over(open, async ({ digest }) => {
        expect(digest.sha256(text)).toBe(expected)
      })()
    })
  })
}
