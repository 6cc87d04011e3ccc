import type { Log } from '@cbp/core'
import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose'

/** The keys that may have signed a token with this header: none is an answer. `away`: they cannot be read at present. */
export type FindKeys = (header: TokenHeader) => Promise<readonly CryptoKey[] | 'away'>

export type TokenHeader = Readonly<{ alg: string; kid?: string }>

export type IssuerKeysOptions = Readonly<{
  url: string
  log: Log
  /** Monotonic or wall clock, in milliseconds. */
  now: () => number
  fetch?: typeof fetch
}>

/** Keys read so long ago are read again, in the background. */
export const freshMs: number = 600_000
/** Keys read longer ago than this count no more: by then a key that the issuer withdrew has to be out of use. */
export const staleMs: number = 3_600_000
/** The issuer is asked at most this often, whatever tokens come. */
export const cooldownMs: number = 15_000
const fetchDeadlineMs = 3_000
const documentLimitBytes = 256 * 1024
/** Each token without a kid is held against all of them. */
const keysLimit = 256
/** Of keys that share a kid, or for a token without one; each costs a verification. */
const candidatesLimit = 4

type KeySet = Readonly<{ find: ReturnType<typeof createLocalJWKSet>; readAt: number }>

/**
 * The keys of an issuer by URL (RFC 7517). They stay usable while the issuer is away, up to a bound; one request at a time
 * reads them, and unknown key ids cannot make that happen more often than the cooldown allows.
 */
export function issuerKeys({ url, log, now, fetch: get = fetch }: IssuerKeysOptions): FindKeys {
  let held: KeySet | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | null = null

  /** Also when the clock was set back: nobody could say how long ago it is. */
  const isPast = (at: number, ms: number): boolean => now() - at > ms || now() < at

  const ask = async (): Promise<void> => {
    try {
      held = { find: createLocalJWKSet(await readKeySet(url, get)), readAt: now() }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.write('warn', 'the keys of the token issuer cannot be read', { reason, held: held !== null })
    } finally {
      asking = null
    }
  }
  /** Resolves when the keys have been asked for; at once where that was done a moment ago. */
  const refresh = (): Promise<void> => {
    if (asking === null && isPast(askedAt, cooldownMs - 1)) {
      askedAt = now()
      asking = ask()
    }
    return asking ?? Promise.resolve()
  }
  const usable = (): KeySet | null => (held !== null && now() - held.readAt <= staleMs ? held : null)

  return async (header) => {
    if (usable() === null) await refresh()
    const set = usable()
    if (set === null) return 'away'
    if (isPast(set.readAt, freshMs)) void refresh()
    const found = await candidates(set, header)
    if (found.length > 0) return found
    await refresh()
    const newer = usable()
    return newer === null || newer === set ? found : candidates(newer, header)
  }
}

/** Each key is bound to the algorithm, the use and the operations that it names, and to the algorithms of its type. */
async function candidates({ find }: KeySet, header: TokenHeader): Promise<readonly CryptoKey[]> {
  try {
    return [await find(header)]
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return []
    const found: CryptoKey[] = []
    for await (const key of error) {
      found.push(key)
      if (found.length === candidatesLimit) break
    }
    return found
  }
}

async function readKeySet(url: string, get: typeof fetch): Promise<JSONWebKeySet> {
  const answer = await get(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(fetchDeadlineMs),
  })
  if (answer.status !== 200) throw new Error(`it answers ${answer.status}`)
  const document: unknown = JSON.parse(await readText(answer))
  const keys = typeof document === 'object' && document !== null && 'keys' in document ? document.keys : null
  if (!Array.isArray(keys)) throw new Error('it answers no key set')
  const fit = keys.filter(isFit)
  if (fit.length === 0) throw new Error('no key of its set is usable')
  // To leave some out would refuse tokens that are good, and nobody would know why.
  if (fit.length > keysLimit) throw new Error(`its key set has more than ${keysLimit} usable keys`)
  return { keys: fit }
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > documentLimitBytes) throw new Error(`its key set has more than ${documentLimitBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const curves: ReadonlySet<unknown> = new Set(['EC P-256', 'OKP Ed25519'])
const leastModulusBits = 2048

/** Public keys for signatures alone. A set that holds a private key has lost it: whoever can read the set has it too. */
function isFit(key: unknown): key is JWK {
  if (typeof key !== 'object' || key === null) return false
  const { kty, crv, d, k, n } = key as JWK
  if (d !== undefined || k !== undefined) return false
  if (kty !== 'RSA') return curves.has(`${String(kty)} ${String(crv)}`)
  return typeof n === 'string' && bitsOf(n) >= leastModulusBits
}

function bitsOf(modulus: string): number {
  const bytes = Buffer.from(modulus, 'base64url')
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24
}
