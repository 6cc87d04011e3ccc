/** SHA-256 (FIPS 180-4) in plain arithmetic, so that hashes in tests are those of production. */
export function sha256(bytes: readonly number[]): readonly number[] {
  const state = hashOf(padded(bytes))
  return [...state].flatMap((word) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff))
}

const roundConstants: Int32Array = fractionalBits(64, (prime) => Math.cbrt(prime))
const initialState: Int32Array = fractionalBits(8, (prime) => Math.sqrt(prime))

/** The first 32 bits of the fractional parts of a root of the first primes. */
function fractionalBits(count: number, root: (prime: number) => number): Int32Array {
  const primes: number[] = []
  for (let candidate = 2; primes.length < count; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  }
  return Int32Array.from(primes, (prime) => ((root(prime) % 1) * 0x1_0000_0000) | 0)
}

/** The UTF-8 bytes of a text; a lone surrogate counts as the replacement character. */
export function utf8(text: string): readonly number[] {
  const bytes: number[] = []
  for (const character of text.toWellFormed()) {
    const point = character.codePointAt(0) as number
    if (point < 0x80) bytes.push(point)
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), tail(point))
    else if (point < 0x1_0000) bytes.push(0xe0 | (point >> 12), tail(point >> 6), tail(point))
    else bytes.push(0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point))
  }
  return bytes
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f)
}

/** FIPS 180-4, 5.1.1: a one bit, zeros, and the length in bits as 64 bits; as big-endian words. */
function padded(bytes: readonly number[]): Int32Array {
  const words = new Int32Array(((bytes.length + 8) >> 6) * 16 + 16)
  for (const [index, byte] of bytes.entries()) words[index >> 2] = at(words, index >> 2) | (byte << (24 - (index % 4) * 8))
  words[bytes.length >> 2] = at(words, bytes.length >> 2) | (0x80 << (24 - (bytes.length % 4) * 8))
  words[words.length - 2] = Math.floor(bytes.length / 0x2000_0000)
  words[words.length - 1] = bytes.length << 3
  return words
}

/** FIPS 180-4, 6.2.2. */
function hashOf(words: Int32Array): Int32Array {
  const state = Int32Array.from(initialState)
  const schedule = new Int32Array(64)
  for (let block = 0; block < words.length; block += 16) {
    schedule.set(words.subarray(block, block + 16))
    for (let index = 16; index < 64; index += 1) {
      const near = at(schedule, index - 2)
      const far = at(schedule, index - 15)
      const sigma1 = rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10)
      const sigma0 = rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3)
      schedule[index] = sigma1 + at(schedule, index - 7) + sigma0 + at(schedule, index - 16)
    }
    compress(state, schedule)
  }
  return state
}

function compress(state: Int32Array, schedule: Int32Array): void {
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
  for (let round = 0; round < 64; round += 1) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const first = (h + sum1 + ((e & f) ^ (~e & g)) + at(roundConstants, round) + at(schedule, round)) | 0
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const second = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) state[index] = at(state, index) + value
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}

function at(words: Int32Array, index: number): number {
  return words[index] as number
}
