import { createCore, type Log, type Ports, type RateLimiter, verifyWebhook } from '@cbp/core'
import { fakePorts, fakeStore } from '@cbp/core/testing'
import { type CryptoKey, generateKeyPair, SignJWT } from 'jose'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import type { DevelopmentKey } from '../src/access/development-key.ts'
import { tokenVerifier } from '../src/access/verify-token.ts'
import { systemClock, uuidSource } from '../src/assembly/platform/index.ts'
import { healthProbes } from '../src/health/probes.ts'
import { coreMetrics } from '../src/metrics/core-metrics.ts'
import { metered } from '../src/metrics/metered.ts'
import { requestMetrics } from '../src/metrics/request-metrics.ts'
import { type App, type HttpInterface, httpInterface } from '../src/server/app.ts'
import type { AppDependencies } from '../src/server/dependencies.ts'
import { type EdgeParts, edge } from '../src/server/edge.ts'
import { lifecycle } from '../src/server/lifecycle.ts'
import { type Listening, listen } from '../src/server/listen.ts'
import { shippedSettings } from '../src/server/live-settings.ts'
import type { RequestRecord } from '../src/server/pipeline.ts'

export const issuer = 'https://issuer.test'
export const audience = 'cbp-config-api'

const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
export const key: DevelopmentKey = { kid: 'test', privateKey, publicKey }

/** A token as the issuer would make it; `claims` replaces, and `undefined` removes. */
export async function token(
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
  signWith: CryptoKey | Uint8Array = privateKey,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const all = { iss: issuer, aud: audience, sub: 'tester', exp: now + 600, scope: 'config:read config:write', ...claims }
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return await new SignJWT(kept).setProtectedHeader({ alg: 'EdDSA', kid: 'test', ...header }).sign(signWith)
}

export type TestApp = Readonly<{
  app: App
  face: HttpInterface
  ports: Ports
  deps: AppDependencies
  records: RequestRecord[]
  logged: { level: string; message: string }[]
  /** Calls the app with a token of all permissions unless `authorization` is given. */
  call: (method: string, path: string, init?: CallInit) => Promise<Response>
}>

export type CallInit = Readonly<{ headers?: Readonly<Record<string, string | undefined>>; body?: unknown; raw?: string | Uint8Array }>

/** Tests ask more often than any caller may; those of the limits bring a limiter. */
const unlimited: RateLimiter = {
  take: ({ limit }) => ({ allowed: true, limit, remaining: limit - 1, resetSeconds: 1, retryAfterSeconds: 0 }),
}

export type TestOptions = Partial<AppDependencies> & Partial<EdgeParts> & Readonly<{ ports?: Partial<Ports> }>

/** The app over fakes in real time. */
export async function openApp(options: TestOptions = {}): Promise<TestApp> {
  const logged: TestApp['logged'] = []
  const log: Log = { write: (level, message) => void logged.push({ level, message }) }
  const registry = new Registry()
  const inner = fakePorts({ clock: systemClock, ids: uuidSource, log, ...fakeStore(systemClock, 'e1'), ...options.ports }) as Ports
  const ports = metered(inner, registry)
  const core = options.core ?? createCore(ports)
  const ends = lifecycle()
  const records: RequestRecord[] = []
  const count = requestMetrics(registry)
  const { ports: _ports, ...overrides } = options
  const inOrder = async (): Promise<Readonly<{ status: 'pass'; reason: null }>> => ({ status: 'pass', reason: null })
  const deps: AppDependencies = {
    core,
    log,
    lifecycle: ends,
    edge: edge({
      verifyToken: tokenVerifier({ issuer, audience, keys: { kind: 'local', key }, secret: null }),
      authenticateApiKey: core.access.authenticateApiKey,
      isSigned: (message) => verifyWebhook(ports.mac, ports.inboundSecrets, ports.clock.now(), message).isOk(),
      limiter: unlimited,
      settings: () => shippedSettings,
      note: core.audit.note,
      trustProxy: [],
      // Without a server there are no turns: a test makes thousands of requests in one.
      turns: { isLate: () => false },
      ...options,
    }),
    health: healthProbes({
      engines: { names: { database: 'fake', cache: 'fake', queue: 'fake' }, cache: inOrder, queue: inOrder },
      examineStore: async () => {
        const head = await ports.configStore.head()
        return head.isOk() ? { status: 'pass', reason: null } : { status: 'fail', reason: head.error.reason }
      },
      readCache: () => ports.configCache.read('health'),
      core,
    }),
    exposeMetrics: coreMetrics(core, ends, Date.now, registry),
    onAnswered: (record) => {
      records.push(record)
      count(record)
    },
    instanceId: 'test',
    version: '0.0.0',
    now: Date.now,
    ...overrides,
  }
  const face = httpInterface(deps)
  const { app } = face
  const admin = await token({ scope: 'admin' })
  const call: TestApp['call'] = async (method, path, { headers = {}, body, raw } = {}) => {
    const given = { authorization: `Bearer ${admin}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
    const fields = Object.fromEntries(Object.entries(given).filter((field): field is [string, string] => field[1] !== undefined))
    const content = raw ?? (body === undefined ? null : JSON.stringify(body))
    return app.request(path, { method, headers: fields, body: content as string | Uint8Array<ArrayBuffer> | null })
  }
  return { app, face, ports, deps, records, logged, call }
}

export type TestServer = TestApp & Readonly<{ listening: Listening; url: string }>

/** The app behind a real listener, with core's background work; all of it ends with the test. */
export async function openServer(options: Parameters<typeof openApp>[0] = {}): Promise<TestServer> {
  const opened = await openApp(options)
  const listening = await listen(opened.face, { host: '127.0.0.1', port: 0 }, opened.deps.lifecycle, () => 'test-x')
  const background = new AbortController()
  const working = opened.deps.core.run(background.signal)
  onTestFinished(async () => {
    await listening.close()
    background.abort()
    await working
  })
  return { ...opened, listening, url: listening.url }
}

export const createIt = { 'if-none-match': '*' }

export async function put(call: TestApp['call'], path: string, value: unknown, headers: CallInit['headers'] = createIt): Promise<Response> {
  return call('PUT', path, { body: { value, reason: 'test' }, headers })
}

export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>
}
