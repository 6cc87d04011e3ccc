import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { bodyKinds } from './body-kinds.ts'
import { type Document, type Draft, drafts, type Known, operationsOf } from './draft.ts'
import { headerKinds } from './header-kinds.ts'
import { dice, type Kind } from './kind.ts'
import { type Expectations, type Forbidden, faultsOf, inner, leaks } from './oracle.ts'
import { targetKinds } from './target-kinds.ts'
import { type Line, line } from './wire.ts'

export const kinds: readonly Kind[] = [...bodyKinds, ...targetKinds, ...headerKinds]

/** A running service to be told wrong things. */
export type Target = Readonly<{ port: number; url: string; authorization: string; sign: Known['sign']; forbidden: readonly Forbidden[] }>

export type Fault = Readonly<{
  kind: string
  operation: string
  seed: number
  faults: readonly string[]
  sent: string
  status: number | null
}>

export type Outcome = Readonly<{
  sent: number
  /** Answers by kind and status; `0` where none was owed or came. */
  counts: ReadonlyMap<string, ReadonlyMap<number, number>>
  faults: readonly Fault[]
}>

type Case = Readonly<{ draft: Draft; kind: Kind; seed: number }>

const patienceMs = 20_000
/** More of them would tell nothing new. */
const mostFaults = 50

/** Sends `numRequests`, always the same for one seed, over several connections at once. */
export async function campaign(
  target: Target,
  { numRequests, seed, connections }: Readonly<{ numRequests: number; seed: number; connections: number }>,
): Promise<Outcome> {
  const document = (await (await fetch(`${target.url}/openapi.json`)).json()) as Document
  const cases = casesOfKinds(document, { authorization: target.authorization, sign: target.sign, ids: await makeObjects(target) })
  const expectations: Expectations = { problems: await readProblems(target, document), forbidden: [...inner, ...target.forbidden] }
  const counts = new Map<string, Map<number, number>>()
  const faults: Fault[] = []
  let sent = 0
  for (let round = 0; sent < numRequests; round += 1) {
    const waiting = cases
      .slice(0, numRequests - sent)
      .flatMap((each, index) => fc.sample(each, { seed: seed + round * cases.length + index, numRuns: 1 }))
    sent += waiting.length
    const work = async (connection: Line): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const fault = await attempt(connection, next, expectations, counts)
        if (fault !== null && faults.length < mostFaults) faults.push(fault)
      }
    }
    const lines = Array.from({ length: connections }, () => line(target.port, patienceMs))
    await Promise.all(lines.map(work))
    for (const each of lines) each.close()
  }
  return { sent, counts, faults }
}

async function attempt(
  connection: Line,
  { draft, kind, seed }: Case,
  expectations: Expectations,
  counts: Map<string, Map<number, number>>,
): Promise<Fault | null> {
  const wire = kind.make(draft, dice(seed))
  const reply = await connection.send(wire)
  const status = reply === null || reply === 'late' ? 0 : reply.status
  const row = counts.get(kind.name) ?? new Map<number, number>()
  counts.set(kind.name, row.set(status, (row.get(status) ?? 0) + 1))
  const isPathKept = !/^(?:path|target|method|framing):|^noise|^half|^a greeting/.test(kind.name)
  const isSilent = reply === null || reply === 'late'
  const found = isSilent
    ? !wire.isOwed
      ? []
      : [reply === 'late' ? 'no answer came in time' : 'no answer came']
    : faultsOf(reply, draft.operation, isPathKept, expectations)
  if (found.length === 0) return null
  return {
    kind: kind.name,
    operation: draft.operation.name,
    seed,
    faults: found,
    sent: wire.bytes
      .subarray(0, 1200)
      .toString('latin1')
      .replace(/Bearer \S{100,}/, 'Bearer …')
      .slice(0, 500),
    status,
  }
}

/** For every kind as many cases as for every other, over the operations that it fits. */
function casesOfKinds(document: Document, known: Known): readonly fc.Arbitrary<Case>[] {
  const operations = operationsOf(document)
  const draftsOf = new Map(operations.map((operation) => [operation, drafts(operation, document, known)] as const))
  return kinds.map((kind) => {
    const fitting = [...draftsOf].filter(([operation]) => kind.fits(operation))
    return fc.oneof(...fitting.map(([, draft]) => fc.record({ draft, kind: fc.constant(kind), seed: fc.nat() })))
  })
}

/** Codes and their statuses, as the service itself explains them. */
async function readProblems({ url }: Target, document: Document): Promise<Expectations['problems']> {
  const codes = new Set(
    JSON.stringify(document)
      .match(/`[a-z]+(?:-[a-z]+)*`/g)
      ?.map((code) => code.slice(1, -1)),
  )
  const known = new Map<string, number>()
  for (const code of codes) {
    const response = await fetch(`${url}/problems/${code}`)
    if (response.status === 200) known.set(code, ((await response.json()) as { status: number }).status)
  }
  return known
}

const things: readonly (readonly [path: string, body: unknown])[] = [
  ['/payments', { amount: 1250, currency: 'USD', payee: { id: 'water-7', name: 'City Water' }, userId: 'user-1' }],
  ['/webhooks/subscriptions', { url: 'http://127.0.0.1:9/hooks', types: ['PAYMENT_CREATED'] }],
  ['/api-keys', { name: 'fuzz', permissions: ['config:read'] }],
]

async function makeObjects({ url, authorization }: Target): Promise<Known['ids']> {
  const post = async (path: string, body: unknown, key: string): Promise<string> => {
    const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': key }
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return ((await response.json()) as { id: string }).id
  }
  const ids: Record<string, string[]> = {}
  for (const [path, body] of things) ids[path] = [await post(path, body, `a${path}`), await post(path, body, `b${path}`)]
  const [subscription = ''] = ids['/webhooks/subscriptions'] ?? []
  ids['/webhooks/deliveries'] = [await post(`/webhooks/subscriptions/${subscription}/test`, {}, 'c')]
  for (const component of ['payments', 'fuzz']) {
    await fetch(`${url}/config/${component}/limit`, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/json', 'if-none-match': '*' },
      body: JSON.stringify({ value: 3, reason: 'fuzz' }),
    })
  }
  return ids
}

/** What is wrong with a log: every line is one object of JSON, tells of no defect, and holds nothing that it must not. */
export function logFaults(file: string, forbidden: readonly Forbidden[]): readonly string[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.flatMap((text, index) => {
    const faults = leaks(text, forbidden)
    try {
      const { level, msg, time } = JSON.parse(text) as Readonly<Record<string, unknown>>
      if (level === 'error') faults.push(`an error: ${text.slice(0, 1_000)}`)
      if (typeof msg !== 'string' || typeof time !== 'string') faults.push('it is no line of the log')
    } catch {
      faults.push(`it is no JSON: ${text.slice(0, 200)}`)
    }
    return faults.map((fault) => `line ${index + 1}: ${fault}`)
  })
}
