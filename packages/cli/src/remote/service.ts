import { err, ok, type Result } from 'neverthrow'
import { exitCodes, type Failure, refused, unavailable, usageFailure } from '../output/failure.ts'
import { plain } from '../output/style.ts'
import { interruption, type Session } from '../session.ts'

export type ServiceOptions = Readonly<{ url?: string; token?: string }>

/** A running service, as one client sees it. */
export type Service = Readonly<{
  url: URL
  /** `null`: what needs a token will be refused. */
  token: string | null
}>

const requestDeadlineMs = 10_000
const bodyLimit = 4 * 1024 * 1024

export function readService({ io }: Session, { url, token }: Readonly<{ url: string; token?: string }>): Result<Service, Failure> {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    return err(usageFailure('invalid-url', `"${plain(url)}" is no http or https address.`, 'Give --url as, e.g., http://127.0.0.1:8080'))
  }
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    return err(usageFailure('invalid-url', '--url takes an address alone: no user, query or fragment.', 'Give the token in CBP_TOKEN.'))
  }
  if (!parsed.pathname.endsWith('/')) parsed.pathname += '/'
  const given = token ?? io.env['CBP_TOKEN'] ?? ''
  return ok({ url: parsed, token: given === '' ? null : given })
}

/** An address of the service, below whatever path it lives at. */
export function addressOf({ url }: Service, path: string, query: Readonly<Record<string, string | undefined>> = {}): URL {
  const address = new URL(path.replace(/^\//, ''), url)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) address.searchParams.set(name, value)
  return address
}

export function headersOf({ token }: Service, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...more }
}

export type JsonReply = Readonly<{ status: number; body: unknown }>

/** Reads JSON from the service, whatever the status; a body that is no JSON reads as `null`. */
export async function getJson(session: Session, service: Service, path: string): Promise<Result<JsonReply, Failure>> {
  return requestJson(session, service, { method: 'GET', path })
}

export type JsonRequest = Readonly<{
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  headers?: Readonly<Record<string, string>>
  body?: unknown
  /** Also when the program is to end: for what has to be tidied up. */
  ignoresCancel?: boolean
}>

/** What a service answered, whatever the status; `text` exactly as it came. */
export type Reply = JsonReply & Readonly<{ text: string }>

export async function requestJson(
  { io }: Session,
  service: Service,
  { method, path, headers = {}, body, ignoresCancel = false }: JsonRequest,
): Promise<Result<Reply, Failure>> {
  const deadline = AbortSignal.timeout(requestDeadlineMs)
  const content = body === undefined ? {} : { 'content-type': 'application/json' }
  try {
    const reply = await fetch(addressOf(service, path), {
      method,
      headers: headersOf(service, { accept: 'application/json, application/problem+json', ...content, ...headers }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A token is for the address that was given, not for wherever that points.
      redirect: 'error',
      signal: ignoresCancel ? deadline : AbortSignal.any([io.cancel, deadline]),
    })
    const text = await readAtMost(reply, bodyLimit)
    return ok({ status: reply.status, body: parsedOrNull(text), text })
  } catch (error) {
    return err(io.cancel.aborted && !ignoresCancel ? interruption(io.cancel) : unreachable(service, error))
  }
}

/** The JSON of an answer, or `null` where it holds none or too much. */
export async function readJson(reply: Response): Promise<unknown> {
  return parsedOrNull(await readAtMost(reply, bodyLimit))
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function readAtMost(reply: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of reply.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > limit) return ''
  }
  return text + decoder.decode()
}

export function unreachable({ url }: Service, error: unknown): Failure {
  const reason = reasonOf(error)
  if (isUntrusted(reason)) {
    const sentence = `The certificate of ${url.href} is not trusted here (${reason}).`
    return unavailable('certificate-untrusted', sentence, 'Name the file of its authority in NODE_EXTRA_CA_CERTS, or mend --url.')
  }
  return unavailable('service-unavailable', `No service answers at ${url.href} (${reason}).`, 'Start one with: cbp serve; or mend --url.')
}

/** OpenSSL's words for a certificate that nobody known vouches for, or that names others. */
function isUntrusted(reason: string): boolean {
  return /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_SELF_SIGNED|CERT_|ERR_TLS_CERT_)/.test(reason)
}

/** What Node's fetch knows of a failure is in its cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'it took too long'
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}

type Problem = Readonly<{ code?: unknown; detail?: unknown; title?: unknown; head?: unknown }>

/** The members of problem+json that matter here; all absent where the body is none. */
export function problemOf(body: unknown): Problem {
  return typeof body === 'object' && body !== null ? body : {}
}

/** What an answer that is not a success means at the command line. */
export function failureOfReply({ url }: Service, { status, body }: JsonReply): Failure {
  const { code, detail, title } = problemOf(body)
  const named = typeof code === 'string' ? code : `http-${status}`
  const told = [detail, title].find((text) => typeof text === 'string') ?? `it answered ${status}`
  const sentence = `The service at ${url.href} refused: ${plain(String(told)).replace(/\.$/, '')}.`
  if (status === 401) return refused(named, sentence, 'Give a valid token in CBP_TOKEN or --token; in development: cbp token mint')
  if (status === 403) return refused(named, sentence, 'Use a token whose scope holds config:read, or admin.')
  if (status === 404)
    return { exitCode: exitCodes.notFound, code: named, detail: sentence, mend: 'Is --url the address of the Config API?' }
  if (status === 429 || status >= 500) return unavailable(named, sentence, 'Try again a little later.')
  return refused(named, sentence)
}
