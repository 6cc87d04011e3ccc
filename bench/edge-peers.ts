import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, startChild, startHost } from './lib/child.ts'
import { startRedisServer } from './lib/redis-server.ts'
import { tokenFor } from './lib/token.ts'

/** A server with the credential that it takes. */
export type EdgePeer = Readonly<{ name: string; child: Child; headers: Readonly<Record<string, string>>; token: string }>

export type EdgePeers = Readonly<{ peers: readonly EdgePeer[]; exemplar: Exemplar }>

type Exemplar = Readonly<{ headers: Readonly<Record<string, string>>; body: string }>

export const names = {
  own: 'cbp',
  apiKey: 'cbp, API key',
  redis: 'cbp, limits in Redis',
  raw: 'node:http',
  fastify: 'fastify',
  tuned: 'fastify, tuned',
} as const

export const readPath = '/config/payments/retry.policy?scope=/production/first-cu'
const value = { maxAttempts: 5, backoffMs: [100, 400, 1600, 6400], jitter: 'full', retryOn: ['timeout', 'unavailable'], deadlineMs: 30_000 }
const scope = 'config:read config:write payments:read payments:write keys:write'
const json = { 'content-type': 'application/json' }

/** Starts all of them; each answers the same body to the same request. */
export async function startPeers(directory: string, children: AsyncDisposableStack): Promise<EdgePeers> {
  const own = await startOwn(names.own, join(directory, 'own'), children)
  const exemplar = await exemplarOf(own)
  const redis = children.use(await startRedisServer())
  const shared = await startOwn(names.redis, join(directory, 'shared'), children, { CBP_REDIS_URL: redis.url })
  await exemplarOf(shared)
  const exemplarText = JSON.stringify(exemplar)
  const publicKey = publicPem(join(directory, 'own'))
  const start = async (name: string, file: string, ...args: readonly string[]): Promise<EdgePeer> => {
    const log = join(directory, `${name.replaceAll(/\W/g, '-')}.txt`)
    const child = children.use(await startChild([join(import.meta.dirname, 'peers', file), exemplarText, ...args], { log }))
    return { ...own, name, child }
  }
  const fastify = (name: string, tuning: string): Promise<EdgePeer> =>
    start(name, 'fastify-edge.ts', publicKey, join(directory, `${tuning}.log`), join(directory, `${tuning}.sqlite`), tuning)
  const peers = [
    own,
    { ...own, name: names.apiKey, headers: { 'x-api-key': await apiKeyOf(own) } },
    shared,
    await start(names.raw, 'raw-read.ts'),
    await fastify(names.fastify, 'default'),
    await fastify(names.tuned, 'tuned'),
  ]
  for (const peer of peers) await requireSame(peer, exemplar)
  return { peers, exemplar }
}

async function startOwn(
  name: string,
  dataDir: string,
  children: AsyncDisposableStack,
  environment: Readonly<Record<string, string>> = {},
): Promise<EdgePeer> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const child = children.use(await startHost(dataDir, { environment, log: join(dataDir, '..', `${name.replaceAll(/\W/g, '-')}.txt`) }))
  const token = await tokenFor(dataDir, scope)
  return { name, child, token, headers: { authorization: `Bearer ${token}` } }
}

/** Writes the entry and tells how it is answered. */
async function exemplarOf({ child, headers }: EdgePeer): Promise<Exemplar> {
  const put = await fetch(`${child.url}/config/payments/retry.policy?scope=/production`, {
    method: 'PUT',
    headers: { ...headers, ...json, 'if-none-match': '*' },
    body: JSON.stringify({ value, reason: 'bench' }),
  })
  if (put.status !== 201) throw new Error(`the entry was not written: ${put.status} ${await put.text()}`)
  const answer = await fetch(`${child.url}${readPath}`, { headers: { ...headers, 'accept-encoding': 'identity' } })
  const ofConnection = new Set(['date', 'connection', 'keep-alive'])
  return { headers: Object.fromEntries([...answer.headers].filter(([name]) => !ofConnection.has(name))), body: await answer.text() }
}

async function apiKeyOf({ child, headers }: EdgePeer): Promise<string> {
  const body = JSON.stringify({ name: 'bench', permissions: ['config:read'] })
  const made = await fetch(`${child.url}/api-keys`, { method: 'POST', headers: { ...headers, ...json }, body })
  const { key } = (await made.json()) as { key?: string }
  if (key === undefined) throw new Error(`no API key was made: ${made.status}`)
  return key
}

/** What every answer carries beside its body, whoever gives it: a tag, what is left of a limit, the fields that helmet sets too. */
const expectedFields = ['etag', 'cache-control', 'x-request-id', 'content-security-policy', 'x-content-type-options', 'x-frame-options']

async function requireSame({ name, child, headers }: EdgePeer, exemplar: Exemplar): Promise<void> {
  const answer = await fetch(`${child.url}${readPath}`, { headers: { ...headers, 'accept-encoding': 'identity' } })
  const body = await answer.text()
  // Two stores tell the moment and the hash of the same value each in its own way.
  const isSame = name === names.redis ? body.length === exemplar.body.length : body === exemplar.body
  const missing = expectedFields.filter((field) => !answer.headers.has(field))
  const isLimited = [...answer.headers.keys()].some((field) => field.startsWith('ratelimit'))
  if (answer.status === 200 && isSame && isLimited && missing.length === 0) return
  throw new Error(`${name} answers something else: ${answer.status} ${body}, without ${missing.join(', ')}`)
}

function publicPem(dataDir: string): string {
  const { d: _private, ...jwk } = JSON.parse(readFileSync(join(dataDir, 'development-signing-key.json'), 'utf8')) as JsonWebKey
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
}
