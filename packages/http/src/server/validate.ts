import type { InputFault } from '@cbp/core'
import type { z } from '@hono/zod-openapi'
import { faulty, type Problem, problem } from '../problems/problem.ts'
import type { Exchange } from './exchange.ts'
import { parseJson } from './json.ts'
import { escapeToken } from './pointer.ts'

/** For an endpoint that names no limit of its own. */
export const defaultBodyLimitBytes: number = 1024 * 1024

type Issue = z.core.$ZodIssue

/** How faults of one kind of input are named. */
type Naming = Readonly<{ root: string; unknownCode: string; unknown: (name: string) => Readonly<{ code: string; message: string }> }>

const queryNaming: Naming = naming('#/query', 'unknown-parameter', 'This path takes no such parameter')
const pathNaming: Naming = naming('#/path', 'unknown-parameter', 'This path takes no such parameter')

function naming(root: string, unknownCode: string, text: string): Naming {
  return { root, unknownCode, unknown: (name) => ({ code: unknownCode, message: `${text}: ${name}.` }) }
}

/** Members that the contract names and a later version will take. */
const notYet: ReadonlySet<string> = new Set(['secret', 'effectiveFrom', 'expiresAt'])

const bodyNaming: Naming = {
  root: '#',
  unknownCode: 'unknown-member',
  unknown: (name) =>
    notYet.has(name)
      ? { code: 'not-supported-yet', message: `${name} is not supported yet; leave it out.` }
      : { code: 'unknown-member', message: `The schema has no member ${name}.` },
}

const emptyQuery: Readonly<Record<string, string>> = {}

export type Parameters<Params, Query> = Readonly<{ params: Params; query: Query }>

const rememberedParameters = 1024
/** Longer ones are rare, and nobody is to fill the memory with them. */
const rememberedLength = 512

/** Reads path and query. What was valid once is valid again, so that the parameters of busy addresses are only looked up. */
export function parameterReader<Params, Query>(
  params: z.ZodType<Params> | null,
  query: z.ZodType<Query>,
): (exchange: Exchange) => Parameters<Params, Query> | Problem {
  const remembered = new Map<string, Parameters<Params, Query>>()
  return (exchange) => {
    const name = `${exchange.path}?${exchange.query}`
    const known = remembered.get(name)
    if (known !== undefined) return known
    const read = readParameters(exchange, params, query)
    if ('code' in read) return read
    if (name.length > rememberedLength) return read
    if (remembered.size >= rememberedParameters) remembered.clear()
    remembered.set(name, read)
    return read
  }
}

function readParameters<Params, Query>(
  exchange: Exchange,
  params: z.ZodType<Params> | null,
  query: z.ZodType<Query>,
): Parameters<Params, Query> | Problem {
  const given = exchange.query === '' ? emptyQuery : splitQuery(exchange.query)
  if (given instanceof Map) return faulty('invalid-parameter', [...given.values()])
  const parsedParams = params?.safeParse(exchange.params)
  const parsedQuery = query.safeParse(given)
  if (parsedParams?.success !== false && parsedQuery.success) {
    return { params: parsedParams?.data as Params, query: parsedQuery.data }
  }
  const faults = [
    ...(parsedParams?.success === false ? faultsOf(parsedParams.error.issues, exchange.params, pathNaming) : []),
    ...(parsedQuery.success ? [] : faultsOf(parsedQuery.error.issues, given, queryNaming)),
  ]
  return faulty('invalid-parameter', faults)
}

/** Answers the faults by name when a parameter is given twice: which of the two counts would be a guess. */
function splitQuery(query: string): Readonly<Record<string, string>> | ReadonlyMap<string, InputFault> {
  const given: Record<string, string> = {}
  const repeated = new Map<string, InputFault>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
    if (Object.hasOwn(given, name)) {
      repeated.set(name, {
        pointer: `#/query/${escapeToken(name)}`,
        code: 'repeated-parameter',
        message: `${name} is given more than once.`,
      })
      continue
    }
    if (name === '__proto__') Object.defineProperty(given, name, { value, enumerable: true })
    else given[name] = value
  }
  return repeated.size > 0 ? repeated : given
}

/** As application/x-www-form-urlencoded has it; what is no valid escape stays as it is, and fails its schema. */
function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

/** Reads a whole body of at most `limitBytes`, or tells what was wrong with the sending of it. */
export async function readBytes(exchange: Exchange, limitBytes: number): Promise<Uint8Array | Problem> {
  const bytes = await exchange.readBody(limitBytes)
  if (bytes === 'too-large') {
    return problem('body-too-large', `The body has more than ${limitBytes} bytes.`, { headers: { connection: 'close' } })
  }
  if (bytes === 'too-slow') {
    return problem('request-timeout', 'The body did not arrive in time; nothing was done.', { headers: { connection: 'close' } })
  }
  if (bytes === 'incomplete') return problem('bad-request', 'The body ended before all of it had arrived.')
  return bytes
}

/** Reads a JSON body: 415, 413, 400 and 422 in this order. */
export async function readJsonBody<Body>(
  exchange: Exchange,
  schema: z.ZodType<Body>,
  { types, limitBytes }: Readonly<{ types: readonly string[]; limitBytes: number }>,
): Promise<Readonly<{ body: Body }> | Problem> {
  const typeFault = mediaTypeFault(exchange, types)
  if (typeFault !== null) {
    // RFC 9110, 12.5.1, and RFC 5789, 3.1.
    const field = exchange.method === 'PATCH' ? 'accept-patch' : 'accept'
    return problem('unsupported-media-type', typeFault, { headers: { [field]: types.join(', ') } })
  }
  const bytes = await readBytes(exchange, limitBytes)
  if ('code' in bytes) return bytes
  const parsed = parseJson(bytes)
  if ('fault' in parsed) return problem('malformed-json', parsed.fault)
  if (parsed.lossy.length > 0) return faulty('invalid-body', parsed.lossy)
  const checked = schema.safeParse(parsed.value)
  if (checked.success) return { body: checked.data }
  return faulty('invalid-body', faultsOf(checked.error.issues, parsed.value, bodyNaming))
}

function mediaTypeFault(exchange: Exchange, types: readonly string[]): string | null {
  const coding = exchange.header('content-encoding')
  if (coding !== undefined && coding.toLowerCase() !== 'identity') return `A body with the content coding ${coding} is not accepted.`
  const type = exchange.header('content-type')
  if (type === 'application/json' && types.includes(type)) return null
  if (type === undefined) return `The body needs Content-Type: ${types.join(' or ')}.`
  const [essence = ''] = type.split(';', 1)
  if (!types.includes(essence.trim().toLowerCase())) return `The type ${type} is not accepted; send ${types.join(' or ')}.`
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]
  return charset === undefined || charset.toLowerCase() === 'utf-8' ? null : `JSON is UTF-8, not ${charset}.`
}

function faultsOf(issues: readonly Issue[], input: unknown, { root, unknown }: Naming): readonly InputFault[] {
  return issues.flatMap((issue): readonly InputFault[] => {
    const pointer = issue.path.reduce<string>((parent, token) => `${parent}/${escapeToken(String(token))}`, root)
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => ({ pointer: `${pointer}/${escapeToken(name)}`, ...unknown(name) }))
    }
    if (issue.path.length > 0 && valueAt(input, issue.path) === undefined) {
      return [{ pointer, code: 'required', message: `${String(issue.path.at(-1))} is required.` }]
    }
    const code = issue.code === 'custom' ? String(issue.params?.['code'] ?? 'invalid') : issue.code.replaceAll('_', '-')
    return [{ pointer, code, message: issue.message }]
  })
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, token) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined
    return (value as Record<PropertyKey, unknown>)[token]
  }, input)
}
