import type { SecretSource } from '../secret-source.ts'
import { toBase64 } from './base-64.ts'
import { fakeRandom } from './fake-random.ts'

/** The same secrets in every run for one seed: no secrets at all. */
export function fakeSecretSource(seed = 1): SecretSource {
  const random = fakeRandom(seed)
  return { base64: (bytes) => toBase64(Array.from({ length: bytes }, () => Math.floor(random.fraction() * 256))) }
}
