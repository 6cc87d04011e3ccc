import { errAsync, type ResultAsync } from 'neverthrow'
import type { CancelSignal } from '../kernel/cancel.ts'
import { cancelSource } from '../kernel/cancel.ts'
import type { Clock } from '../kernel/clock.ts'
import type { KeyRing } from '../kernel/key-ring.ts'
import type { Log } from '../kernel/log.ts'
import type { Mac } from '../kernel/mac.ts'
import type { Random } from '../kernel/random.ts'
import { storableText } from '../kernel/storable-text.ts'
import { survivingDefects } from '../kernel/survive-defects.ts'
import type { Tried, WebhookDelivery } from './delivery.ts'
import type { WebhookAnswer, WebhookTransport } from './ports/webhook-transport.ts'
import { sign } from './signature.ts'
import { type Subscription, signingSecrets } from './subscription.ts'
import { sealContext, type WebhookSecret } from './webhook-secret.ts'

export type TryDependencies = Readonly<{
  transport: WebhookTransport
  mac: Mac
  keyRing: KeyRing
  clock: Clock
  random: Random
  log: Log
}>

type Unanswered = Readonly<{ error: string }> | 'stopped'
type Outcome = Readonly<{ answer: WebhookAnswer }> | Unanswered

const answerLimit = 1024
/** What a transport is given beyond its own time before it counts as silent. */
const graceMs = 1000

/**
 * Sends a delivery once, signed now with every secret that counts. Never fails: what went wrong is the attempt's error.
 * `null`: cut short because this instance is ending; that counts as no attempt, whether or not the message arrived.
 */
export async function tryDelivery(
  deps: TryDependencies,
  subscription: Subscription,
  delivery: WebhookDelivery,
  timeoutMs: number,
): Promise<Tried | null> {
  const { clock, random } = deps
  const at = clock.now()
  const outcome = await send(deps, subscription, delivery, timeoutMs)
  if (outcome === 'stopped') return null
  const answer = 'answer' in outcome ? outcome.answer : null
  return {
    deliveryId: delivery.id,
    url: subscription.url,
    attempt: {
      number: delivery.attempts.length + 1,
      at,
      latencyMs: Math.max(0, clock.now() - at),
      status: answer?.status ?? null,
      error: 'error' in outcome ? outcome.error : null,
      answer: answer === null || answer.body === '' ? null : storableText(answer.body, answerLimit),
    },
    retryAfterMs: answer?.retryAfterMs ?? null,
    spread: random.fraction(),
  }
}

async function send(deps: TryDependencies, subscription: Subscription, delivery: WebhookDelivery, timeoutMs: number): Promise<Outcome> {
  const posted = survivingDefects(
    deps.log,
    () => post(deps, subscription, delivery, timeoutMs),
    (): Unanswered => ({ error: 'unreachable: a defect of the sender' }),
  )
  const outcome = posted.match<Outcome>(
    (answer) => ({ answer }),
    (unanswered) => unanswered,
  )
  return withinMs<Outcome>(deps.clock, timeoutMs + graceMs, outcome, { error: `timeout: no answer within ${timeoutMs} ms` })
}

function post(
  deps: TryDependencies,
  subscription: Subscription,
  delivery: WebhookDelivery,
  timeoutMs: number,
): ResultAsync<WebhookAnswer, Unanswered> {
  const { transport, mac, clock } = deps
  const secrets = unsealed(deps, subscription)
  if (secrets.length === 0) return errAsync({ error: 'no signing secret can be read' })
  const seconds = Math.floor(clock.now() / 1000)
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'cbp-config-api',
    'webhook-id': delivery.id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': secrets.map((secret) => sign(mac, secret, delivery.id, seconds, delivery.body)).join(' '),
    ...(delivery.traceparent === null ? {} : { traceparent: delivery.traceparent }),
    ...(delivery.replayed || delivery.replayOf !== null ? { 'cbp-replay': 'true' } : {}),
  }
  const posted = transport.post({ url: subscription.url, headers, body: delivery.body, timeoutMs })
  return posted.mapErr(({ cause, reason }) => (cause === 'stopped' ? cause : { error: `${cause}: ${reason}` }))
}

/** A secret that does not open is an operator's concern; its receivers see the others, if there are any. */
function unsealed({ keyRing, clock, log }: TryDependencies, subscription: Subscription): readonly WebhookSecret[] {
  return signingSecrets(subscription, clock.now()).flatMap(({ id, sealed }) => {
    const opened = keyRing.unseal(sealed, sealContext(id))
    if (opened.isOk()) return [opened.value as WebhookSecret]
    const { reason } = opened.error
    log.write('error', 'a signing secret cannot be read', { subscription: subscription.id, secret: id, reason })
    return []
  })
}

/** So that a transport that breaks its promise holds up nobody for good. */
async function withinMs<T>(clock: Clock, ms: number, promise: Promise<T>, expired: T): Promise<T> {
  const { signal, cancel } = cancelSource()
  const first = await Promise.race([promise, sleepThen(clock, ms, signal, expired)])
  cancel()
  return first
}

async function sleepThen<T>(clock: Clock, ms: number, signal: CancelSignal, value: T): Promise<T> {
  await clock.sleep(ms, signal)
  return value
}
