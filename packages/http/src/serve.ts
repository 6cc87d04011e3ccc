import { resolve } from 'node:path'
import { err, ok, type Result } from 'neverthrow'
import { defaultAudience, developmentIssuer, type Settings, systemClock } from './assembly/index.ts'
import { type HostContainer, openHost } from './container.ts'
import { type Background, runUntilStopped } from './run.ts'
import { type HttpInterface, httpInterface } from './server/app.ts'
import { type Listening, listen, listenForSandbox } from './server/listen.ts'
import { type HostLog, openLog } from './server/log.ts'
import { expiryAlerts } from './tls/expiry.ts'
import { openTls, type Tls } from './tls/secure-server.ts'

/** The service could not start; the message says why and how to mend it. */
export type ServeFailure = Readonly<{ kind: 'serve-failure'; message: string }>

export type ServeOptions = Readonly<{
  /** Ends the service in order; without it the signals of the process do. */
  stop?: AbortSignal
  /** Takes the ready line and, in development, what to try first. */
  announce?: (text: string) => void
}>

/** Serves until it is told to stop, then ends in order: answers under way, watchers, background work, store. */
export async function serve(settings: Settings, options: ServeOptions = {}): Promise<Result<void, ServeFailure>> {
  const hostLog = openLog(settings.logLevel)
  try {
    for (const name of settings.unknown) hostLog.log.write('warn', 'this setting is not known and has no effect', { name })
    const tls = await openTlsOrExplain(settings, hostLog)
    if (tls.isErr()) return err(tls.error)
    const opened = await openOrExplain(settings, hostLog, tls.value)
    if (opened.isErr()) return err(opened.error)
    await using host = opened.value
    const listening = await listenOrExplain(settings, host, tls.value)
    if (listening.isErr()) return err(listening.error)
    return await run(settings, host, listening.value, { ...options, tls: tls.value })
  } finally {
    hostLog.flush()
  }
}

const callbackPath = '/webhooks/payment-status'

async function run(
  settings: Settings,
  { app, assembly, hangUp }: HostContainer,
  listening: ListeningForAll,
  { tls, ...options }: ServeOptions & Readonly<{ tls: Tls | null }>,
): Promise<Result<void, ServeFailure>> {
  const stop = options.stop === undefined ? stopSignal() : aborted(options.stop)
  const announce = options.announce ?? ((text) => process.stdout.write(text))
  const [core, sandbox] = [assembly.get('core'), assembly.get('sandbox')]
  assembly.get('callbackAddress').url = listening.sandboxUrl ?? `${reachable(listening.url)}${callbackPath}`
  const beside: Background[] = sandbox === null ? [] : [sandbox]
  if (tls !== null) beside.push(tls, { run: expiryAlerts({ tls, alertOnce: core.events.alertOnce, clock: systemClock, log: app.log }) })
  const running = runUntilStopped({ core, beside, app, listening, stop, hangUp })
  announce(
    `listening on ${listening.url}\n${settings.env === 'development' ? firstSteps(settings, listening.url, tls === null ? null : rootFile(settings, tls)) : ''}`,
  )
  return (await running).mapErr(() => ({ kind: 'serve-failure', message: 'The background work failed by a defect; the log tells which.' }))
}

/** Where this process itself reaches what listens on every address. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}

async function openTlsOrExplain({ tls }: Settings, { log }: HostLog): Promise<Result<Tls | null, ServeFailure>> {
  if (tls === null) return ok(null)
  const opened = await openTls(tls, { clock: systemClock, log })
  return opened.mapErr((faults) => ({
    kind: 'serve-failure',
    message: `TLS cannot be served:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
  }))
}

async function openOrExplain(settings: Settings, log: HostLog, tls: Tls | null): Promise<Result<HostContainer, ServeFailure>> {
  try {
    const opened = await openHost(settings, log, tls)
    return opened.mapErr(({ resource, reason }) => ({ kind: 'serve-failure', message: `The ${resource} did not open: ${reason}` }))
  } catch (error) {
    return failure(error instanceof Error ? error.message : String(error))
  }
}

/** `sandboxUrl`: where the sandbox sends its webhooks, when not to the port that everybody uses. */
type ListeningForAll = Listening & Readonly<{ sandboxUrl: string | null }>

async function listenForAll(
  face: HttpInterface,
  host: HostContainer,
  place: Parameters<typeof listen>[1],
  newRequestId: () => string,
): Promise<ListeningForAll> {
  const listening = await listen(face, place, host.app.lifecycle, newRequestId)
  if (place.tls === null || host.assembly.get('sandbox') === null) return { ...listening, sandboxUrl: null }
  const forSandbox = await listenForSandbox(face, callbackPath)
  const close = async (): Promise<void> => {
    await Promise.all([listening.close(), forSandbox.close()])
  }
  return { ...listening, sandboxUrl: forSandbox.url, close }
}

async function listenOrExplain(settings: Settings, opened: HostContainer, tls: Tls | null): Promise<Result<ListeningForAll, ServeFailure>> {
  const { app } = opened
  const { host, port } = settings
  let count = 0
  const newRequestId = (): string => {
    count += 1
    return `${app.instanceId}-x${count.toString(36)}`
  }
  try {
    return ok(await listenForAll(httpInterface(app), opened, { host, port, tls }, newRequestId))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      return failure(`Port ${port} of ${host} is taken. Stop what listens there, or choose another with CBP_PORT (0 picks a free one).`)
    }
    if (code === 'EACCES') return failure(`Port ${port} of ${host} may not be opened by this user; choose one above 1023 with CBP_PORT.`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return failure(`${host} is no address of this machine; mend CBP_HOST.`)
    return failure(error instanceof Error ? error.message : String(error))
  }
}

function failure(message: string): Result<never, ServeFailure> {
  return err({ kind: 'serve-failure', message })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((settle) => signal.addEventListener('abort', () => settle(), { once: true }))
}

const repeatedWithinMs = 1_000

/**
 * Resolves at the first signal. A later one ends the process at once, but not within a second of the first: through npm
 * and a launcher one Ctrl-C arrives several times.
 */
function stopSignal(): Promise<void> {
  return new Promise((settle) => {
    let firstAt: number | null = null
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstAt === null) {
        firstAt = performance.now()
        settle()
      } else if (performance.now() - firstAt > repeatedWithinMs) {
        process.exit(signal === 'SIGINT' ? 130 : 143)
      }
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  })
}

/** The file of the certificate where its root is in it too, else a word for the file that has it. */
function rootFile({ tls: files }: Settings, tls: Tls): string {
  return files !== null && tls.material().hasRoot ? files.certPath : 'authority.pem'
}

/** Lines that work as they are printed, from the folder of the checkout. */
function firstSteps(settings: Settings, url: string, root: string | null): string {
  if (settings.jwt.jwksUrl !== null) return ''
  const needed: readonly (readonly [name: string, value: string, usual: string])[] = [
    ['CBP_DATA_DIR', settings.dataDir, resolve('./.cbp')],
    ['CBP_JWT_ISSUER', settings.jwt.issuer, developmentIssuer],
    ['CBP_JWT_AUDIENCE', settings.jwt.audience, defaultAudience],
  ]
  const variables = needed.filter(([, value, usual]) => value !== usual).map(([name, value]) => `${name}=${quote(value)} `)
  const cbp = `${variables.join('')}npm run -s cbp --`
  // curl takes the certificate itself for its authority, Node only the root behind it.
  const curl = settings.tls === null ? 'curl -sS' : `curl -sS --cacert ${quote(settings.tls.certPath)}`
  const node = settings.tls === null || root === null ? '' : `NODE_EXTRA_CA_CERTS=${quote(root)} `
  const setting = `${url}/config/payments/retry.max-attempts`
  return `
Development: get a token, then set something and read it.
  TOKEN=$(${cbp} token mint --sub me --scope "config:read config:write")
  ${curl} -X PUT ${setting} -H "Authorization: Bearer $TOKEN" -H 'If-None-Match: *' -H 'Content-Type: application/json' -d '{"value": 3, "reason": "first try"}'
  ${curl} ${setting} -H "Authorization: Bearer $TOKEN"
A payment from end to end, with signed webhooks both ways:
  ${node}${cbp} demo --url ${url}
Documentation: ${url}/docs

`
}

function quote(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
