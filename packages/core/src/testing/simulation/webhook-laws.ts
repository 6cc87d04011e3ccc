import type { SequencedEvent, Stream } from '../../events/index.ts'
import type { PaymentId } from '../../payments/index.ts'
import type { Subscription, WebhookDelivery } from '../../webhooks/index.ts'
import { sign } from '../../webhooks/signature.ts'
import { typeHeard } from '../../webhooks/subscription.ts'
import type { ArrivedPost, FakeWebhookTransport } from '../../webhooks/testing/fake-webhook-transport.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'
import { cheapMac } from './cheap-secrets.ts'
import type { Streams } from './event-laws.ts'
import type { History, SubscriptionRecord, Violation } from './history.ts'
import type { Ledger } from './payment-laws.ts'
import { longestSkewMs } from './plan.ts'
import { sure } from './truth.ts'

const everything = 1_000_000

/** What was queued and sent, as the store holds it and as the endpoints saw it. */
type Mail = Readonly<{
  subscription: Subscription
  record: SubscriptionRecord
  deliveries: readonly WebhookDelivery[]
  posts: ReadonlyMap<string, readonly ArrivedPost[]>
}>

export async function webhookViolations(
  history: History,
  streams: Streams,
  ledger: Ledger,
  { webhookStore }: StorePorts,
  transport: FakeWebhookTransport,
  triesAtMost: number,
): Promise<readonly Violation[]> {
  const found: Violation[] = []
  const all = sure(await webhookStore.deliveries({ client: null, subscriptionId: null, status: null }, null, everything))
  const bySubscription = Map.groupBy(all, ({ subscriptionId }) => subscriptionId)
  const postsByUrl = Map.groupBy(transport.posts, ({ url }) => url)
  for (const [id, deliveries] of bySubscription) {
    const subscription = sure(await webhookStore.subscription(id))
    const record = history.subscriptions.find(({ url }) => url === subscription?.url)
    if (subscription === null || record === undefined) {
      found.push({ law: 'L17', detail: `deliveries of ${id}, which nobody asked for` })
      continue
    }
    const posts = Map.groupBy(postsByUrl.get(subscription.url) ?? [], ({ headers }) => headers['webhook-id'] ?? '')
    const mail: Mail = { subscription, record, deliveries, posts }
    found.push(
      ...deliveries.flatMap((delivery) => endViolations(mail, delivery, triesAtMost)),
      ...postViolations(mail),
      ...fanOutViolations(mail, streams, ledger),
    )
  }
  for (const record of history.subscriptions) {
    const isEmpty = record.id !== null && !bySubscription.has(record.id)
    const subscription = isEmpty && record.id !== null ? sure(await webhookStore.subscription(record.id)) : null
    if (isEmpty && subscription === null) found.push({ law: 'L17', detail: `${record.url} was acknowledged and is not there` })
    if (subscription !== null) found.push(...fanOutViolations({ subscription, record, deliveries: [], posts: new Map() }, streams, ledger))
  }
  return found
}

/** L17: every delivery has ended, and as its attempts say; what counts as delivered has really arrived. */
function endViolations(
  { subscription, posts, record }: Mail,
  { id, status, attempts, body }: WebhookDelivery,
  triesAtMost: number,
): readonly Violation[] {
  const breach = (detail: string): readonly Violation[] => [{ law: 'L17', detail: `${id} to ${record.url} ${detail}` }]
  const last = attempts.at(-1)
  const isTaken = (code: number | null | undefined): boolean => typeof code === 'number' && code >= 200 && code < 300
  const misnumbered = attempts.some(({ number }, index) => number !== index + 1)
  if (misnumbered) return breach('has attempts that do not count 1, 2, 3 …')
  switch (status) {
    case 'pending':
      return breach(`is still pending after ${attempts.length} attempts`)
    case 'delivered': {
      if (!attempts.some((each) => isTaken(each.status))) return breach('counts as delivered without an attempt that says so')
      if (posts.get(id)?.some((post) => post.body === body) !== true) return breach('counts as delivered, and never arrived')
      return record.taken.has(id) ? [] : breach('counts as delivered, and was never taken')
    }
    case 'exhausted':
      if (isTaken(last?.status)) return breach('is exhausted although it was taken')
      return attempts.length >= triesAtMost ? [] : breach(`is exhausted after ${attempts.length} attempts`)
    case 'cancelled':
      return subscription.status === 'active' && !record.isTouched ? breach('was cancelled although its subscription is active') : []
  }
}

/** L17: nothing arrives but what is kept, under one id, in the kept words and with a signature that verifies. */
function postViolations({ subscription, record, deliveries, posts }: Mail): readonly Violation[] {
  const byId = new Map(deliveries.map((each) => [each.id as string, each]))
  return [...posts].flatMap(([id, each]): readonly Violation[] => {
    const delivery = byId.get(id)
    if (delivery === undefined) return [{ law: 'L17', detail: `${record.url} was sent ${id}, which is no delivery of ${subscription.id}` }]
    const wrong = each.find((post) => post.body !== delivery.body || !verifies(record, id, post))
    return wrong === undefined ? [] : [{ law: 'L17', detail: `${id} arrived at ${record.url} without a signature that fits` }]
  })
}

function verifies({ secrets, acknowledgedAt, isSecretUncertain }: SubscriptionRecord, id: string, { headers, body }: ArrivedPost): boolean {
  if (acknowledgedAt === null) return true
  const signatures = (headers['webhook-signature'] ?? '').split(' ')
  const seconds = Number(headers['webhook-timestamp'])
  const fits = secrets.some((secret) => signatures.includes(sign(cheapMac, secret, id, seconds, body)))
  // More rotations than signatures: of the newest secrets none may be known here.
  return fits || (isSecretUncertain && signatures.length > 2)
}

/** L15: each event that a subscription hears has one delivery; those it does not hear have none. */
function fanOutViolations({ subscription, record, deliveries }: Mail, streams: Streams, ledger: Ledger): readonly Violation[] {
  const found: Violation[] = []
  const original = deliveries.filter(({ event, replayOf }) => event !== null && replayOf === null)
  const byEvent = Map.groupBy(original, ({ event }) => event?.id)
  const isSteady = subscription.status === 'active' && !record.isTouched
  for (const [stream, events] of streams) {
    for (const event of events) {
      const count = byEvent.get(event.id)?.length ?? 0
      const hears = isHeard(subscription, stream, event, ledger)
      const isCertain = record.acknowledgedAt !== null && event.occurredAt > record.acknowledgedAt + 2 * longestSkewMs
      const place = `${stream} #${event.sequence} for ${record.url}`
      if (count > 1) found.push({ law: 'L15', detail: `${count} deliveries of ${place}` })
      if (count > 0 && !hears) found.push({ law: 'L15', detail: `a delivery of ${place}, which it does not hear` })
      if (count === 0 && hears && isSteady && isCertain) found.push({ law: 'L15', detail: `no delivery of ${place}` })
    }
  }
  return found
}

function isHeard(subscription: Subscription, stream: Stream, { event, occurredAt }: SequencedEvent, ledger: Ledger): boolean {
  const { client, reach, createdAt } = subscription
  const owner = ledger.get(stream.replace('payment-', '') as PaymentId)?.payment.client ?? null
  const isReached = owner === null ? reach.system : reach.allClients || owner === client
  return isReached && createdAt <= occurredAt && typeHeard(subscription, event) !== null
}
