import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Ports, verifyWebhook } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { loadDevelopmentKey } from './access/development-key.ts'
import { tokenVerifier, type VerifierOptions, type VerifyToken } from './access/verify-token.ts'
import { type Assembly, openAssembly, type ResourceUnavailable, type Settings } from './assembly/index.ts'
import { untilStopped } from './clients/webhooks/until-stopped.ts'
import { prepareDataDirectory, prepareDirectory } from './directory.ts'
import { healthProbes } from './health/probes.ts'
import { coreMetrics } from './metrics/core-metrics.ts'
import { edgeMetrics } from './metrics/edge-metrics.ts'
import { metered } from './metrics/metered.ts'
import { requestMetrics } from './metrics/request-metrics.ts'
import type { AppDependencies } from './server/dependencies.ts'
import { type Edge, edge } from './server/edge.ts'
import { lifecycle } from './server/lifecycle.ts'
import { type LiveSettings, liveSettings } from './server/live-settings.ts'
import type { HostLog } from './server/log.ts'
import { secureHeadersWith } from './server/secure-headers.ts'
import { expiryProbe } from './tls/expiry.ts'
import type { Tls } from './tls/secure-server.ts'
import { strictTransportSecurity } from './tls/strict-transport.ts'
import { tlsMetrics } from './tls/tls-metrics.ts'

/** What the HTTP host adds to the assembly that both hosts share. */
export type HostContainer = AsyncDisposable &
  Readonly<{
    assembly: Assembly
    app: AppDependencies
    /** Ends calls to endpoints of subscribers that are under way. */
    hangUp: () => void
  }>

export async function openHost(
  settings: Settings,
  { log, request }: Pick<HostLog, 'log' | 'request'>,
  tls: Tls | null = null,
): Promise<Result<HostContainer, ResourceUnavailable>> {
  await prepareDirectories(settings)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const calls = new AbortController()
  const decorate = (ports: Ports): Ports =>
    metered({ ...ports, webhookTransport: untilStopped(ports.webhookTransport, calls.signal) }, registry)
  const opened = await openAssembly(settings, { log, decorate })
  if (opened.isErr()) return err(opened.error)
  const assembly = opened.value
  const core = assembly.get('core')
  const clock = assembly.get('clock')
  const ends = lifecycle()
  const countRequest = requestMetrics(registry)
  if (tls !== null) tlsMetrics(tls, clock.now, registry)
  const live = liveSettings(core.config.tunable)
  await live.refresh()
  const openedEdge = await openEdge(settings, assembly, live, log)
  edgeMetrics(openedEdge, registry)
  const app: AppDependencies = {
    core,
    edge: openedEdge,
    log,
    lifecycle: ends,
    secureHeaders: secureHeadersWith(strictTransportSecurity(settings)),
    health: healthProbes({
      engines: assembly.get('engineHealth'),
      examineStore: () => assembly.get('store').health(),
      readCache: () => assembly.get('configCache').read('health'),
      certificate: tls === null ? null : expiryProbe(tls, clock.now),
      core,
    }),
    exposeMetrics: coreMetrics(core, ends, clock.now, registry),
    onAnswered: (record) => {
      countRequest(record)
      // A flood of refusals must not become a flood of lines; the metrics count them.
      if (!record.shed) request(record)
    },
    instanceId: newInstanceId(),
    version: ownVersion(),
    now: clock.now,
  }
  const ending = new AbortController()
  const following = live.run(ending.signal)
  const close = async (): Promise<void> => {
    ending.abort()
    await following
    await assembly[Symbol.asyncDispose]()
  }
  return ok({ assembly, app, hangUp: () => calls.abort(), [Symbol.asyncDispose]: close })
}

/** First of all, because what fails for want of a directory later says so in other words. */
async function prepareDirectories({ dataDir, jwt, sql, keyring, webhookSecrets, paymentServiceUrl }: Settings): Promise<void> {
  const isDataKept = jwt.jwksUrl === null || keyring === null || webhookSecrets === null || paymentServiceUrl === null
  const directory = sql.kind === 'sqlite' ? dirname(sql.path) : null
  if (isDataKept || directory === dataDir) await prepareDataDirectory(dataDir)
  if (sql.kind === 'sqlite' && directory !== null && directory !== dataDir) {
    await prepareDirectory(directory, `The database ${sql.path} cannot be written; set CBP_SQL_URL`)
  }
}

async function openEdge(settings: Settings, assembly: Assembly, live: LiveSettings, log: HostLog['log']): Promise<Edge> {
  const [core, clock, mac, inboundSecrets] = [
    assembly.get('core'),
    assembly.get('clock'),
    assembly.get('mac'),
    assembly.get('inboundSecrets'),
  ]
  return edge({
    verifyToken: await openVerifier(settings, { policy: () => live.current().tokens, log }),
    authenticateApiKey: core.access.authenticateApiKey,
    isSigned: (message) => verifyWebhook(mac, inboundSecrets, clock.now(), message).isOk(),
    limiter: assembly.get('rateLimiter'),
    settings: live.current,
    note: core.audit.note,
    trustProxy: settings.trustProxy,
  })
}

async function openVerifier({ dataDir, jwt }: Settings, options: VerifierOptions): Promise<VerifyToken> {
  const { issuer, audience, jwksUrl, secret } = jwt
  const keys =
    jwksUrl === null ? ({ kind: 'local', key: await loadDevelopmentKey(dataDir) } as const) : ({ kind: 'jwks', url: jwksUrl } as const)
  return tokenVerifier({ issuer, audience, keys, secret }, options)
}

/** Letters alone: digits of it and of a count behind it could be taken for the number of a card, and masked. */
function newInstanceId(): string {
  return randomBytes(6)
    .toString('hex')
    .replaceAll(/\d/g, (digit) => String.fromCharCode(103 + Number(digit)))
}

function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}
