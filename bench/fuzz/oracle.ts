import type { Operation } from './draft.ts'
import type { Reply } from './wire.ts'

/** What no answer and no line of the log may hold. */
export type Forbidden = Readonly<{ what: string; pattern: RegExp | string }>

export type Expectations = Readonly<{
  /** Status by code of problem. */
  problems: ReadonlyMap<string, number>
  forbidden: readonly Forbidden[]
}>

/** Words that only a defect, a driver or the machine itself could have put there; nothing that is sent has them. */
export const inner: readonly Forbidden[] = [
  { what: 'a stack', pattern: /\n\s+at |node:internal|node_modules|\.[cm]?[jt]s:\d+/ },
  { what: 'words of the database', pattern: /SQLITE_|no such (?:table|column)|constraint failed|syntax error near|\bcbp_outbox\b/i },
  {
    what: 'words of the language',
    pattern: /TypeError|ReferenceError|RangeError|is not a function|Cannot read properties|ENOENT|\[object Object\]/,
  },
  { what: 'a header of the sender', pattern: /^set-cookie/im },
]

/** Said when there is too much to do, or a system behind does not answer. */
const deliberate: ReadonlySet<string> = new Set(['overloaded', 'payment-service-unavailable', 'user-directory-unavailable'])

/** Before an operation is chosen; any request may meet them. */
const general: ReadonlySet<number> = new Set([204, 400, 404, 405, 408, 413, 417, 431])

/** What is wrong with an answer; empty when nothing is. */
export function faultsOf(
  reply: Reply,
  operation: Operation,
  isPathKept: boolean,
  { problems, forbidden }: Expectations,
): readonly string[] {
  const faults = leaks(headText(reply) + reply.text, forbidden)
  const { status, headers } = reply
  if (headers.get('x-request-id') === undefined) faults.push('it has no x-request-id')
  if (headers.get('x-content-type-options') !== 'nosniff') faults.push('it may be sniffed')
  if (headers.get('content-security-policy') === undefined) faults.push('it has no policy')
  if (isPathKept && !general.has(status) && !operation.statuses.has(status)) faults.push(`${status} is not documented`)
  if (status < 400) return faults
  return [...faults, ...problemFaults(reply, problems)]
}

function headText({ headers }: Reply): string {
  return [...headers].map(([name, value]) => `${name}: ${value}\n`).join('')
}

export function leaks(text: string, forbidden: readonly Forbidden[]): string[] {
  return forbidden
    .filter(({ pattern }) => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)))
    .map(({ what }) => `it tells ${what}`)
}

function problemFaults({ status, headers, text }: Reply, problems: Expectations['problems']): readonly string[] {
  const type = headers.get('content-type')
  if (type !== 'application/problem+json') return [`${status} with ${type ?? 'no type'} is no problem`]
  // The answer to HEAD has no body.
  if (text === '') return status >= 500 && status !== 503 ? [`${status}`] : []
  const body = read(text)
  if (body === null) return ['the problem is no JSON']
  const { code, type: page, title, detail, instance, requestId } = body
  const faults: string[] = []
  if (status >= 500 && !(status === 503 && deliberate.has(String(code)))) faults.push(`${status} ${String(code)}`)
  if (problems.get(String(code)) !== status || body['status'] !== status) faults.push(`${String(code)} does not go with ${status}`)
  if (page !== `/problems/${String(code)}`) faults.push('its type is no page')
  if ([title, detail, instance, requestId].some((word) => typeof word !== 'string')) faults.push('a member is missing')
  if (requestId !== headers.get('x-request-id')) faults.push('its requestId is another')
  return faults
}

function read(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return null
  }
}
