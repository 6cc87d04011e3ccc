import type { Context, Hono } from 'hono'
import type { Endpoint } from './endpoint.ts'
import {
  addressOf,
  type BodyRead,
  certificateOf,
  countCredentials,
  type Exchange,
  type ExchangeParts,
  type HostBindings,
  readTraceparent,
} from './exchange.ts'

type App = Hono<{ Bindings: HostBindings }>
export type AppContext = Context<{ Bindings: HostBindings }>

const methods = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'] as const

/** Hono's form of a path: `{name}` becomes `:name`. */
export function routePath({ path }: Endpoint): string {
  return path.replaceAll(/\{([^{}]+)\}/g, ':$1')
}

/** The methods that a path takes, for Allow (RFC 9110, 10.2.1); empty when there is nothing at it. */
export function allowedMethods(app: App, path: string): readonly string[] {
  const taken = methods.filter((method) => app.router.match(method, path)[0].length > 0)
  if (taken.length === 0) return []
  return taken.includes('GET') ? [...taken, 'HEAD', 'OPTIONS'] : [...taken, 'OPTIONS']
}

/** Reads node's own request where there is one: its header table is already made. */
export function exchangeOf(c: AppContext, { requestIdFor, inTime, findAddress }: ExchangeParts): Exchange {
  const { incoming, outgoing } = (c.env ?? {}) as HostBindings
  const { url } = c.req
  const start = url.indexOf('?')
  const fields = incoming?.headers
  const header: Exchange['header'] = fields === undefined ? (name) => c.req.header(name) : (name) => fields[name] as string | undefined
  return {
    method: c.req.method,
    path: c.req.path,
    query: start === -1 ? '' : queryOf(url, start),
    params: c.req.param() as Readonly<Record<string, string>>,
    header,
    readBody: (limitBytes) => inTime(readBody(c, header('content-length'), limitBytes)),
    requestId: requestIdFor(header('x-request-id')),
    traceparent: readTraceparent(header('traceparent')),
    outgoing: outgoing ?? null,
    address: addressOf(incoming, findAddress),
    certificate: certificateOf(incoming),
    credentialFields: () => countCredentials(incoming),
    identity: null,
    rateLimit: null,
  }
}

function queryOf(url: string, start: number): string {
  const end = url.indexOf('#', start)
  return end === -1 ? url.slice(start + 1) : url.slice(start + 1, end)
}

async function readBody(c: AppContext, length: string | undefined, limitBytes: number): Promise<BodyRead> {
  try {
    if (length === undefined) return await readChunks(c.req.raw.body, limitBytes)
    if (Number(length) > limitBytes) return 'too-large'
    return new Uint8Array(await c.req.arrayBuffer())
  } catch {
    return 'incomplete'
  }
}

async function readChunks(body: ReadableStream<Uint8Array> | null, limitBytes: number): Promise<Uint8Array | 'too-large'> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > limitBytes) return 'too-large'
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
