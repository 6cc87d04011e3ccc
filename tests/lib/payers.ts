import { loadDevelopmentKey, mintToken } from '@cbp/http'
import { defaultAudience, developmentIssuer } from '@cbp/http/assembly'

/** `null`: no answer. */
export type Answer = Readonly<{ status: number; text: string; etag: string | null }> | null

/** One payment as its client knows it. */
export type Known = { readonly key: string; id: string | null }

export type Payers = Readonly<{
  known: readonly Known[]
  /** How often each status was answered; `none` counts requests without an answer. */
  answers: ReadonlyMap<string, number>
  /** What was answered with 500 or above, but for refusals by an instance that is about to end. */
  faults: readonly string[]
  /** Begins no more payments; resolves when each that was begun is processed. */
  finish: () => Promise<void>
}>

type Work = Readonly<{ urls: () => readonly string[]; token: string; name: string; clients: number }>

const insistsMs = 60_000

export async function tokenFor(dataDir: string): Promise<string> {
  const scope = 'config:read config:write payments:read payments:write webhooks:read webhooks:write'
  const request = { subject: 'several', scope, expiresInSeconds: 3600, issuer: developmentIssuer, audience: defaultAudience }
  return (await mintToken(await loadDevelopmentKey(dataDir), request)).token
}

/**
 * Every client makes payments and processes them, one after another. It sends each request to one instance at random, and
 * again, with the same key, to any until it is answered well.
 */
export function startPayers({ urls, token, name, clients }: Work): Payers {
  const known: Known[] = []
  const answers = new Map<string, number>()
  const faults: string[] = []
  let isOver = false

  const note = (answer: Answer): void => {
    const status = answer === null ? 'none' : String(answer.status)
    answers.set(status, (answers.get(status) ?? 0) + 1)
    if (answer !== null && answer.status >= 500 && !answer.text.includes('"shutting-down"')) faults.push(answer.text)
  }
  const insist = async (path: string, key: string, body: unknown): Promise<string> => {
    const givesUpAt = performance.now() + insistsMs
    for (;;) {
      const all = urls()
      const url = all[Math.floor(Math.random() * all.length)]
      const answer = await send('POST', `${url}${path}`, token, { 'idempotency-key': key }, body)
      note(answer)
      if (answer !== null && answer.status >= 200 && answer.status < 300) return answer.text
      if (performance.now() > givesUpAt) throw new Error(`${path} with ${key} is not answered well: ${answer?.text ?? 'no answer'}`)
      await pause(20 + Math.random() * 60)
    }
  }
  const client = async (number: number): Promise<void> => {
    for (let count = 0; !isOver; count += 1) {
      const payment: Known = { key: `${name}-${number}-${count}`, id: null }
      known.push(payment)
      const payee = { id: 'utility-7', name: 'City Power' }
      const body = { amount: 100, currency: 'EUR', payee, userId: 'user-1', reference: payment.key }
      const { id } = JSON.parse(await insist('/payments', payment.key, body)) as { id: string }
      payment.id = id
      await insist(`/payments/${id}/process`, `${payment.key}-process`, null)
    }
  }
  const working = Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  working.catch(() => {})
  return {
    known,
    answers,
    faults,
    finish: async () => {
      isOver = true
      await working
    },
  }
}

export async function send(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH',
  url: string,
  token: string | null,
  given: Readonly<Record<string, string>> = {},
  body: unknown = null,
): Promise<Answer> {
  const headers: Record<string, string> = { ...given }
  if (token !== null) headers['authorization'] = `Bearer ${token}`
  if (body !== null) headers['content-type'] = 'application/json'
  try {
    const response = await fetch(url, { method, headers, ...(body === null ? {} : { body: JSON.stringify(body) }) })
    return { status: response.status, text: await response.text(), etag: response.headers.get('etag') }
  } catch {
    return null
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
