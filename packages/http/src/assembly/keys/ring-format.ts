import { createSecretKey } from 'node:crypto'
import { err, ok, type Result } from 'neverthrow'
import { z } from 'zod'
import type { NamedKey } from './aes-key-ring.ts'

export const howToMake = `write {"keys": [{"id": "k1", "key": "<openssl rand -base64 32>"}]} to it with mode 0600`

const namedKey = z.strictObject(
  {
    id: z.string('has to be text').regex(/^[a-z0-9-]{1,32}$/, 'has to be 1 to 32 characters of a to z, 0 to 9 and -'),
    key: z
      .string('has to be text')
      .regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, 'has to be 32 bytes in base64 (openssl rand -base64 32)'),
    state: z.literal('next', 'has to be "next" or left out').optional(),
  },
  // Not zod's own words: they name unknown members, and a key may have slipped in there.
  'has to have an id, a key and nothing else',
)

const ringSchema = z.strictObject(
  { keys: z.array(namedKey, 'has to be a list').min(1, 'has no key; the first is the one that seals') },
  'has to be {"keys": …} and nothing else',
)

/** One key as it is written. `next`: it opens only, and is to become the first one once every instance knows it. */
export type RingEntry = Readonly<{ id: string; key: string; state?: 'next' | undefined }>

export type RingKeys = readonly [NamedKey, ...NamedKey[]]

/** The entries of a ring, the one that seals first. Reasons never carry a key. */
export function parseRing(text: string): Result<readonly RingEntry[], string> {
  const parsed = ringSchema.safeParse(jsonOf(text))
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.length === 0 ? 'it' : path.join('.')} ${message}`)
    return err(`is not a key ring (${faults.join('; ')}); ${howToMake}`)
  }
  const { keys } = parsed.data
  const twice = keys.find(({ id }, index) => keys.findIndex((other) => other.id === id) < index)
  if (twice !== undefined) return err(`has two keys with the id ${twice.id}; every key needs an id of its own`)
  const same = keys.find(({ key }, index) => keys.findIndex((other) => other.key === key) < index)
  if (same !== undefined) return err(`has the key of ${same.id} twice; every id needs a key of its own`)
  if (keys[0]?.state === 'next') return err('begins with a key that is to come next; the first is the one that seals')
  return ok(keys)
}

/** The keys ready for use; the bytes that they were made of are wiped. */
export function parseKeys(text: string): Result<RingKeys, string> {
  return parseRing(text).andThen((entries) => {
    const [first, ...others] = entries.map(toKey)
    return first === undefined ? err(`has no key; ${howToMake}`) : ok([first, ...others] as const)
  })
}

function toKey({ id, key }: RingEntry): NamedKey {
  const bytes = Buffer.from(key, 'base64')
  const made = { id, key: createSecretKey(bytes) }
  bytes.fill(0)
  return made
}

/** `undefined` for what is no JSON: the parser's own words would quote the text. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
