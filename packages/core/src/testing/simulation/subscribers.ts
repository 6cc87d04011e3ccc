import type { Caller } from '../../kernel/caller.ts'
import type { Random } from '../../kernel/random.ts'
import { fakeRandom } from '../../kernel/testing/fake-random.ts'
import type { SubscriptionDetails } from '../../webhooks/index.ts'
import type { ArrivedPost, EndpointAnswer, FakeWebhookTransport } from '../../webhooks/testing/fake-webhook-transport.ts'
import type { ClientWorld } from './clients.ts'
import type { EndpointKind, SubscriptionRecord } from './history.ts'
import type { Instance } from './instance.ts'
import { patiently } from './patience.ts'

/** What webhooks of simulated worlds are given to be answered. */
export const webhookTimeoutMs = 2000

export type Subscriber = Readonly<{
  world: ClientWorld
  transport: FakeWebhookTransport
  client: string
  random: Random
  name: string
  /** Longest time until it subscribes. */
  withinMs: number
}>

const kinds: readonly EndpointKind[] = ['good', 'good', 'slow', 'flaky', 'hanging', 'lying', 'late', 'dead', 'gone']

/** Subscribes, and then sometimes rotates its secret, asks for a test or a replay, and, rarely, has enough. */
export async function runSubscriber(subscriber: Subscriber): Promise<void> {
  const { world, random } = subscriber
  await world.clock.sleep(1 + Math.floor(random.fraction() ** 2 * subscriber.withinMs))
  let record: SubscriptionRecord | null = null
  for (let attempt = 1; record === null && world.isFaulty(); attempt += 1) {
    record = await subscribe(subscriber, attempt)
    if (record === null) await world.clock.sleep(1 + Math.floor(random.fraction() * 1000))
  }
  while (world.isFaulty() && record !== null) {
    await world.clock.sleep(500 + Math.floor(random.fraction() * 4000))
    const instance = world.anyInstance(random)
    if (instance !== null && world.isFaulty()) await use(subscriber, instance, record)
  }
}

async function subscribe(subscriber: Subscriber, attempt: number): Promise<SubscriptionRecord | null> {
  const { world, transport, name, random } = subscriber
  const instance = world.anyInstance(random)
  if (instance === null) return null
  const endpoint = kinds[Math.floor(random.fraction() * kinds.length)] ?? 'good'
  const url = `https://${name.replaceAll(' ', '-')}.example/${attempt}`
  const record: SubscriptionRecord = {
    url,
    endpoint,
    acknowledgedAt: null,
    id: null,
    secrets: [],
    taken: new Set(),
    isSecretUncertain: false,
    isTouched: false,
  }
  world.history.subscriptions.push(record)
  transport.script(url, noting(record, endpointOf(world, endpoint, fakeRandom(Math.floor(random.fraction() * 2 ** 31)))))
  const command = {
    details: anyDetails(url, random),
    reach: { allClients: random.fraction() < 0.5, system: true },
    caller: callerOf(subscriber),
  }
  const answer = await patiently(world.clock, instance.core.webhooks.subscribe(command))
  world.trace(
    () => `${url} (${endpoint}) subscribes on ${instance.name}: ${answer?.isOk() === true ? answer.value.subscription.id : 'not known'}`,
  )
  if (answer?.isOk() !== true) return null
  record.acknowledgedAt = world.clock.now()
  record.id = answer.value.subscription.id
  record.secrets.push(answer.value.secret)
  return record
}

function anyDetails(url: string, random: Random): SubscriptionDetails {
  const drawn = random.fraction()
  const payments = ['PAYMENT_CREATED', 'PAYMENT_UPDATED', 'PAYMENT_DELETED'] as const
  const types =
    drawn < 0.3
      ? payments
      : drawn < 0.6
        ? (['PAYMENT_COMPLETED', 'PAYMENT_FAILED'] as const)
        : ([...payments, 'PAYMENT_COMPLETED', 'CONFIG_UPDATED'] as const)
  return { url, description: null, types, filter: { statuses: random.fraction() < 0.1 ? ['COMPLETED'] : null, components: null } }
}

async function use(subscriber: Subscriber, instance: Instance, record: SubscriptionRecord): Promise<void> {
  const { world, random, client } = subscriber
  const { webhooks } = instance.core
  const drawn = random.fraction()
  const { id } = record
  if (id === null) return
  const change = { id, viewer: { client, seesAll: false }, caller: callerOf(subscriber) }
  if (drawn < 0.2) {
    record.isSecretUncertain = true
    const rotated = await patiently(world.clock, webhooks.rotateSecret(change))
    if (rotated?.isOk() !== true) return
    record.secrets.push(rotated.value.secret)
    return
  }
  if (drawn < 0.4) {
    await patiently(world.clock, webhooks.sendTest(change))
    return
  }
  if (drawn < 0.6) {
    const ended = await patiently(world.clock, webhooks.deliveries(change.viewer, { subscriptionId: id, status: 'delivered' }, null, 1))
    const delivery = ended?.isOk() === true ? ended.value.items[0] : undefined
    if (delivery !== undefined) await patiently(world.clock, webhooks.replay({ ...change, id: delivery.id }))
    return
  }
  if (drawn < 0.75) {
    record.isTouched = true
    const amendment = { active: random.fraction() < 0.6 }
    await patiently(world.clock, webhooks.amend({ ...change, amendment, reach: { allClients: false, system: true }, version: null }))
    return
  }
  if (drawn < 0.8) {
    record.isTouched = true
    await patiently(world.clock, webhooks.unsubscribe({ ...change, version: null }))
  }
}

function callerOf({ client, name }: Subscriber): Caller {
  return { client, requestId: name, traceparent: null }
}

function noting({ taken }: SubscriptionRecord, endpoint: () => EndpointAnswer): (post: ArrivedPost) => EndpointAnswer {
  return (post) => {
    const answer = endpoint()
    const status = typeof answer === 'object' ? answer.status : answer
    if (status === 200 || status === 204) taken.add(post.headers['webhook-id'] ?? '')
    return answer
  }
}

/** How an endpoint behaves while faults last; afterwards all are good, except those that are gone. */
function endpointOf(world: ClientWorld, kind: EndpointKind, random: Random): () => EndpointAnswer {
  const isLate = (rate: number): boolean => random.fraction() < rate
  return () => {
    if (!world.isFaulty()) return kind === 'gone' || kind === 'dead' ? 410 : 204
    switch (kind) {
      case 'good':
        return 204
      case 'slow':
        return { status: 200, afterMs: Math.floor(random.fraction() * webhookTimeoutMs * 0.9) }
      case 'flaky':
        return ([204, 503, 'drop', 302] as const)[Math.floor(random.fraction() * 4)] ?? 204
      case 'hanging':
        return isLate(0.5) ? 'hang' : 204
      case 'lying':
        return isLate(0.5) ? 'lie' : 204
      case 'late':
        return isLate(0.5) ? { status: 200, afterMs: webhookTimeoutMs + 500 } : { status: 429, retryAfterMs: 1000 }
      case 'dead':
        return 500
      case 'gone':
        return isLate(0.1) ? 410 : 204
    }
  }
}
