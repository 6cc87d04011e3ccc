import {
  type CancelSignal,
  type Clock,
  fullJitterMs,
  type Instant,
  type Log,
  type Mac,
  type Random,
  type WebhookTransport,
} from '@cbp/core'
import type { Row, SandboxFile, Statements } from './sandbox-file.ts'

export type CallbackLimits = Readonly<{
  /** Of one try. */
  timeoutMs: number
  /** After so many without a 2xx a callback is given up. */
  tries: number
  backoffBaseMs: number
  backoffCapMs: number
  concurrency: number
  /** How often to look for what other processes have accepted. */
  pollMs: number
}>

export type CallbackPorts = Readonly<{
  clock: Clock
  random: Random
  mac: Mac
  /** `whsec_` and base64 (Standard Webhooks); a message is signed with each. None: nothing is sent. */
  secrets: () => readonly string[]
  /** `null`: not known yet, nothing is sent. */
  callbackUrl: () => string | null
  post: WebhookTransport['post']
  log: Log
}>

type Callback = Readonly<{ id: number; webhookId: string; body: string; tries: number }>

/** Callbacks of one attempt go out one after another; the lease keeps a second process off, and ends if this one dies. */
const claimable = `
SELECT id, webhook_id, body, tries FROM callbacks AS mine
WHERE ended_at IS NULL AND due_at <= ?1 AND leased_until <= ?1
  AND NOT EXISTS (SELECT 1 FROM callbacks WHERE attempt_id = mine.attempt_id AND id < mine.id AND ended_at IS NULL)
ORDER BY due_at LIMIT ?2`

/** Beyond the deadline of a try, for what it takes to record its end. */
const leaseMarginMs = 2000
/** How long those under way are waited for at the end. */
const partingMs = 250

/** Sends what is due, in the order of its attempt, until `cancel` fires. */
export async function sendCallbacks(file: SandboxFile, ports: CallbackPorts, limits: CallbackLimits, cancel: CancelSignal): Promise<void> {
  const { clock, callbackUrl, secrets } = ports
  const underWay = new Set<Promise<void>>()
  while (!cancel.aborted) {
    const url = callbackUrl()
    const keys = secrets()
    const free = limits.concurrency - underWay.size
    const claimed = url === null || keys.length === 0 || free === 0 ? [] : await claim(file, clock, limits, free)
    for (const callback of claimed) {
      const sending = send(file, ports, limits, callback, url ?? '', keys).finally(() => underWay.delete(sending))
      underWay.add(sending)
    }
    const pause = clock.sleep(limits.pollMs, cancel)
    // An attempt's next callback may be waiting for the one before.
    await (claimed.length > 0 ? Promise.race([pause, ...underWay]) : pause)
  }
  await Promise.race([Promise.allSettled(underWay), clock.sleep(partingMs)])
}

async function claim(file: SandboxFile, clock: Clock, { timeoutMs }: CallbackLimits, limit: number): Promise<readonly Callback[]> {
  const due = await file.read((statements) => statements.all(claimable, clock.now(), limit))
  // Most looks find nothing, and need no lock for that.
  if (due.isErr() || due.value.length === 0) return []
  const claimed = await file.transact((statements) => {
    const now = clock.now()
    const rows = statements.all(claimable, now, limit)
    for (const { id } of rows)
      statements.run('UPDATE callbacks SET leased_until = ? WHERE id = ?', now + timeoutMs + leaseMarginMs, id ?? null)
    return rows.map(callbackOf)
  })
  return claimed.unwrapOr([])
}

function callbackOf(row: Row): Callback {
  return { id: Number(row['id']), webhookId: String(row['webhook_id']), body: String(row['body']), tries: Number(row['tries']) }
}

async function send(
  file: SandboxFile,
  ports: CallbackPorts,
  limits: CallbackLimits,
  callback: Callback,
  url: string,
  keys: readonly string[],
): Promise<void> {
  const { clock, random, mac, post, log } = ports
  const { id, webhookId, body } = callback
  const headers = signedHeaders(mac, keys, webhookId, clock.now(), body)
  const answer = await post({ url, headers, body, timeoutMs: limits.timeoutMs })
  const tries = callback.tries + 1
  const status = answer.isOk() ? answer.value.status : null
  const outcome = status !== null && status >= 200 && status < 300 ? 'delivered' : tries >= limits.tries ? 'given-up' : null
  if (outcome !== 'delivered')
    log.write('warn', 'a callback of the sandbox was not accepted', { webhookId, tries, status, givenUp: outcome === 'given-up' })
  const now = clock.now()
  const asked = answer.isOk() ? (answer.value.retryAfterMs ?? 0) : 0
  const dueAt = now + Math.max(fullJitterMs(random, tries, limits.backoffBaseMs, limits.backoffCapMs), Math.min(asked, limits.backoffCapMs))
  // Where this is not recorded, the lease ends and the same message goes out again.
  await file.transact((statements) => record(statements, id, tries, outcome, outcome === null ? dueAt : now))
}

function record(statements: Statements, id: number, tries: number, outcome: 'delivered' | 'given-up' | null, at: Instant): void {
  if (outcome === null) statements.run('UPDATE callbacks SET tries = ?, due_at = ?, leased_until = 0 WHERE id = ?', tries, at, id)
  else statements.run('UPDATE callbacks SET tries = ?, ended_at = ?, outcome = ? WHERE id = ?', tries, at, outcome, id)
}

/** Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function signedHeaders(mac: Mac, keys: readonly string[], id: string, now: Instant, body: string): Readonly<Record<string, string>> {
  const seconds = String(Math.floor(now / 1000))
  const signatures = keys.map((key) => `v1,${mac.hmacSha256(key.replace(/^whsec_/, ''), `${id}.${seconds}.${body}`)}`)
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': signatures.join(' '),
  }
}
