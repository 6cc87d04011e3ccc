import { err, ok, type Result } from 'neverthrow'

type RedisNode = Readonly<{ host: string; port: number }>

/** Which Redis to speak to, and as whom. */
export type RedisTarget = Readonly<{
  kind: 'standalone' | 'cluster'
  nodes: readonly [RedisNode, ...RedisNode[]]
  tls: boolean
  username: string | null
  password: string | null
  /** Always 0 in a cluster. */
  database: number
}>

/** `reason` never repeats what was given, because that may hold a password. */
export type InvalidRedisUrl = Readonly<{ kind: 'invalid-redis-url'; reason: string }>

const defaultPort = 6379

/** `redis://user:password@host:6379/0`, `rediss://…` for TLS, or several nodes of one Redis Cluster separated by commas. */
export function parseRedisUrl(text: string): Result<RedisTarget, InvalidRedisUrl> {
  const urls = text.split(',').map((each) => URL.parse(each.trim()))
  const [first, ...others] = urls
  if (first === undefined || first === null || others.includes(null)) return invalid('must be redis://host:port or rediss://host:port')
  const all = urls.filter((url) => url !== null)
  if (
    all.some(({ protocol, hostname }) => !['redis:', 'rediss:'].includes(protocol) || hostname === '') ||
    all.some(({ port }) => port === '0')
  ) {
    return invalid('must be redis://host:port or rediss://host:port')
  }
  if (all.some(({ search, hash }) => search !== '' || hash !== '')) return invalid('takes no parameters behind the path')
  if (others.some((url) => url?.protocol !== first.protocol)) return invalid('names nodes with and without TLS')
  const identities = new Set(all.filter((url) => `${url.username}${url.password}` !== '').map((url) => `${url.username}:${url.password}`))
  if (identities.size > 1) return invalid('names several users or passwords')
  if (all.some(({ pathname }) => !/^\/?\d{0,4}$/.test(pathname))) return invalid('takes only the number of a database as its path')
  const database = Number(first.pathname.slice(1))
  if (others.length > 0 && all.some(({ pathname }) => Number(pathname.slice(1)) !== 0)) return invalid('a cluster has database 0 only')
  const identity = all.find((url) => `${url.username}${url.password}` !== '')
  const { username, password } = identity ?? first
  const [firstNode, ...otherNodes] = all.map(nodeOf)
  if (firstNode === undefined) return invalid('names no node')
  return decoded(username, password).map((credentials) => ({
    kind: others.length > 0 ? 'cluster' : 'standalone',
    nodes: [firstNode, ...otherNodes],
    tls: first.protocol === 'rediss:',
    ...credentials,
    database,
  }))
}

function decoded(username: string, password: string): Result<Pick<RedisTarget, 'username' | 'password'>, InvalidRedisUrl> {
  try {
    return ok({ username: decodeURIComponent(username) || null, password: decodeURIComponent(password) || null })
  } catch {
    return invalid('has a user or password that is not percent-encoded')
  }
}

function nodeOf({ hostname, port }: URL): RedisNode {
  // Brackets belong to the URL, not to the address.
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? defaultPort : Number(port) }
}

function invalid(reason: string): Result<never, InvalidRedisUrl> {
  return err({ kind: 'invalid-redis-url', reason })
}
