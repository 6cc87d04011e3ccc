import { join } from 'node:path'
import { inProcessRateLimiter, parseRedisUrl, rateLimiterWithFallback, redisConnection, redisRateLimiter } from '@cbp/adapters-redis'
import { type Core, type Identity, type Log, permissions, type Random, type RateLimiter } from '@cbp/core'
import { type Edge, edge, loadDevelopmentKey, mintToken, shippedSettings, tokenVerifier } from '@cbp/http'
import { defaultAudience, developmentIssuer, openAssembly, readSettings, systemClock } from '@cbp/http/assembly'
import { caller } from './lib/hexagon.ts'
import { startRedisServer } from './lib/redis-server.ts'
import { type Contender, type Round, sideBySide } from './lib/side-by-side.ts'

type Exchange = Parameters<Edge['guard']['authenticate']>[0]

export type Costs = ReadonlyMap<string, readonly Round[]>

const inFlight = 64
const callers = 1000
/** So many verified tokens are remembered; more than that in turn, and none is. */
const tokens = 12_000
/** What takes less than the loop around it is made this many times in one call. */
const repeats = 64
const silent: Log = { write: () => {} }
const random: Random = { fraction: () => Math.random() }
const noLimit = { limit: 1_000_000_000, windowSeconds: 900 }

/** What the steps of admission cost one request each, through the functions that the pipeline calls. */
export async function admissionCosts(directory: string, rounds: number, seconds: number): Promise<Costs> {
  await using closing = new AsyncDisposableStack()
  const core = await openCore(directory, closing)
  const key = await loadDevelopmentKey(directory)
  const verifyToken = tokenVerifier({
    issuer: developmentIssuer,
    audience: defaultAudience,
    keys: { kind: 'local', key },
    secret: null,
  })
  const minted = await Promise.all(
    Array.from({ length: tokens }, async (_, index) => {
      const request = { subject: `client-${index}`, scope: 'config:read', expiresInSeconds: 3600 }
      return (await mintToken(key, { ...request, issuer: developmentIssuer, audience: defaultAudience })).token
    }),
  )
  const own = inProcessRateLimiter({ capacity: 100_000, clock: systemClock })
  const edgeWith = (limiter: RateLimiter): Edge =>
    edge({
      verifyToken,
      authenticateApiKey: core.access.authenticateApiKey,
      isSigned: () => false,
      limiter,
      settings: () => settings,
      note: () => {},
      trustProxy: [],
    })
  const local = edgeWith(own)
  const shared = edgeWith(await sharedLimiter(closing))
  const bearer = minted.map((token) => exchangeWith({ authorization: `Bearer ${token}` }))
  const keyed = exchangeWith({ 'x-api-key': await apiKeyOf(core) })
  const strangers = Array.from({ length: callers }, (_, index) => exchangeWith({}, `192.0.2.${index}`))
  const contenders: readonly Contender[] = [
    { name: costNames.cached, makes: repeats, call: repeated(() => requireAdmitted(local, bearer[0] as Exchange)) },
    { name: costNames.uncached, call: async (index) => requireAdmitted(local, bearer[index % tokens] as Exchange) },
    { name: costNames.apiKey, makes: repeats, call: repeated(() => requireAdmitted(local, keyed)) },
    { name: costNames.limits, makes: repeats, call: repeated((index) => count(local, strangers, index)) },
    { name: costNames.redis, call: (index) => count(shared, strangers, index) },
  ]
  return await sideBySide(contenders, { inFlight, rounds, seconds })
}

export const costNames = {
  cached: 'bearer token, verified a moment ago',
  uncached: 'bearer token (Ed25519), verified anew',
  apiKey: 'API key, read a moment ago',
  limits: 'both limits, in process',
  redis: 'both limits, in Redis too',
} as const

const settings = { ...shippedSettings, perIp: noLimit, perClient: noLimit }

function repeated(call: (index: number) => unknown): Contender['call'] {
  let made = 0
  return async () => {
    for (let each = 0; each < repeats; each += 1) {
      const answer = call(made)
      made += 1
      if (answer instanceof Promise) await answer
    }
  }
}

function exchangeWith(headers: Readonly<Record<string, string>>, address = '192.0.2.1'): Exchange {
  return {
    method: 'GET',
    path: '/config/payments/retry.policy',
    query: '',
    params: {},
    header: (name) => headers[name],
    readBody: async () => 'incomplete',
    requestId: 'bench',
    traceparent: null,
    outgoing: null,
    address: { text: address, partition: `ip ${address}` },
    certificate: () => null,
    credentialFields: () => 1,
    identity: null,
    rateLimit: null,
  }
}

function requireAdmitted({ guard }: Edge, exchange: Exchange): undefined | Promise<void> {
  const admitted = guard.authenticate(exchange, 'config:read')
  const authorize = (identity: Awaited<typeof admitted>): void => {
    if (identity === null || 'code' in identity || guard.authorize('config:read', identity) !== null) {
      throw new Error(`a credential was refused: ${JSON.stringify(identity)}`)
    }
  }
  if (admitted instanceof Promise) return admitted.then(authorize)
  authorize(admitted)
  return undefined
}

/** As the pipeline does it: by address, then by client. */
async function count({ limits }: Edge, exchanges: readonly Exchange[], index: number): Promise<void> {
  const exchange = exchanges[index % exchanges.length] as Exchange
  exchange.rateLimit = null
  const ofAddress = limits.ofAddress(exchange)
  const first = ofAddress instanceof Promise ? await ofAddress : ofAddress
  const ofClient = limits.ofClient(exchange, `client-${index % callers}`)
  const second = ofClient instanceof Promise ? await ofClient : ofClient
  if (first !== null || second !== null) throw new Error('a request was refused')
}

async function sharedLimiter(closing: AsyncDisposableStack): Promise<RateLimiter> {
  const { url } = closing.use(await startRedisServer())
  const target = parseRedisUrl(url)
  if (target.isErr()) throw new Error(target.error.reason)
  const connection = redisConnection({ target: target.value, clock: systemClock, random, log: silent })
  closing.defer(() => connection.close())
  await connection.connect()
  const local = inProcessRateLimiter({ capacity: 100_000, clock: systemClock })
  return rateLimiterWithFallback({ shared: redisRateLimiter(connection, 'both'), local, log: silent })
}

async function openCore(directory: string, closing: AsyncDisposableStack): Promise<Core> {
  const read = readSettings({ CBP_DATA_DIR: join(directory, 'admission') }, directory)
  if (read.isErr()) throw new Error(read.error.map(({ message }) => message).join('; '))
  const assembled = await openAssembly(read.value, { log: silent })
  if (assembled.isErr()) throw new Error(assembled.error.reason)
  return closing.use(assembled.value).get('core')
}

async function apiKeyOf({ access }: Core): Promise<string> {
  const grantor: Identity = {
    client: 'bench',
    userId: null,
    permissions: new Set<string>(permissions),
    configScopes: null,
    expiresAt: Number.MAX_SAFE_INTEGER,
  }
  const details = { name: 'bench', permissions: ['config:read'] as const, configScopes: null, allowedFrom: null, lifetimeDays: null }
  const issued = await access.createApiKey({ details, recipient: null, grantor, caller })
  if (issued.isErr()) throw new Error(`no API key was made: ${issued.error.kind}`)
  const { delivery } = issued.value
  if (delivery.kind !== 'plain') throw new Error('the API key was sealed')
  return delivery.text.reveal()
}
