import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RabbitCluster, rabbitIsHere, startRabbit } from '../packages/adapters-amqp/tests/rabbitmq.ts'
import { hasRedisServer, type RedisServer, startRedis } from '../packages/adapters-redis/tests/redis.ts'
import { type ConfigFollower, followConfig } from './lib/config-follower.ts'
import { openTap, readTap } from './lib/event-tap.ts'
import { type Instances, openInstances, untilHealth, untilQuiet } from './lib/instances.ts'
import { type Answer, type Payers, pause, send, startPayers } from './lib/payers.ts'
import { type Outcome, outcomeOf, outOfOrder } from './lib/payment-outcome.ts'
import { openStores } from './lib/stores.ts'
import { openWebhookSink, type WebhookSink } from './lib/webhook-sink.ts'

const subscribers = 3
const nothing = { notCompleted: 0, lost: 0, doubled: 0, unexpected: 0, executedOtherThanOnce: 0 }
/** They are always started here, for the tests kill them. */
const missing = [rabbitIsHere() ? [] : ['rabbitmq-server'], hasRedisServer() ? [] : ['redis-server']].flat()

/** Beside the figures of the run, for whoever reads it. */
function tell(what: string, figures: unknown): void {
  process.stdout.write(`  ${what}: ${typeof figures === 'string' ? figures : JSON.stringify(figures)}\n`)
}

/** A refusal wrote nothing, or the condition would not hold any more when it is sent again. */
async function put(
  at: string,
  token: string,
  condition: Readonly<Record<string, string>>,
  body: unknown,
  mayRefuse: boolean,
): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await send('PUT', at, token, condition, body)
    if (!mayRefuse || tries === 5 || answer === null || !isRefusal(answer.text)) {
      expect([200, 201]).toContain(answer?.status)
      return answer
    }
  }
}

function isRefusal(answer: string): boolean {
  return answer.includes('"store-unavailable"')
}

/** Sets one setting again and again through `writer`; each version is awaited at the other instance before the next. */
async function expectSeenAcross({ url, token }: Instances, key: string, count: number, mayRefuse = false): Promise<void> {
  const at = `${url('a')}/config/shop/${key}`
  const follower: ConfigFollower = await followConfig(url('b'), token, 'shop', key)
  const delays: Record<'reader' | 'watcher', number[]> = { reader: [], watcher: [] }
  let etag: string | null = null
  for (let written = 1; written <= count; written += 1) {
    const condition = etag === null ? { 'if-none-match': '*' } : { 'if-match': etag }
    const answer = await put(at, token, condition, { value: written, reason: 'seen across' }, mayRefuse)
    const acknowledgedAt = performance.now()
    etag = answer?.etag ?? null
    const { version, revision } = JSON.parse(answer?.text ?? '') as { version: number; revision: number }
    const times = await vi.waitFor(
      () => {
        const [seenAt, heardAt] = [follower.seenAt(version), follower.heardAt.get(revision)]
        if (seenAt === null || heardAt === undefined) throw new Error(`version ${version} is seen at ${seenAt}, heard at ${heardAt}`)
        return { seenAt, heardAt }
      },
      { timeout: 10_000, interval: 2 },
    )
    delays.reader.push(Math.max(0, times.seenAt - acknowledgedAt))
    delays.watcher.push(Math.max(0, times.heardAt - acknowledgedAt))
    await pause(Math.random() * 60)
  }
  await follower.stop()
  const middle = (all: readonly number[]): number => all.toSorted((x, y) => x - y)[Math.floor(all.length / 2)] ?? 0
  const words = Object.entries(delays).map(
    ([who, all]) => `${who} ${Math.round(middle(all))} ms, at most ${Math.round(Math.max(...all))} ms`,
  )
  tell(key, `${words.join('; ')}; ${follower.reads()} reads, ${follower.steppedBack()} stepped back, ${follower.failed()} failed`)
  // The usual one, for a machine that others keep busy may hold any single one back.
  expect(middle(delays.reader)).toBeLessThan(1000)
  expect(middle(delays.watcher)).toBeLessThan(1000)
  expect([follower.steppedBack(), follower.failed()]).toEqual([0, 0])
}

/** Several lanes, so that each instance has some in hand. */
async function subscribe({ url, token }: Instances, sink: WebhookSink): Promise<void> {
  for (let subscriber = 1; subscriber <= subscribers; subscriber += 1) {
    const body = { url: `${sink.url}/${subscriber}`, types: ['PAYMENT_CREATED', 'PAYMENT_UPDATED', 'PAYMENT_COMPLETED'] }
    expect((await send('POST', `${url('a')}/webhooks/subscriptions`, token, {}, body))?.status).toBe(201)
  }
}

async function set({ url, token }: Instances, setting: string, value: number, mayRefuse: boolean): Promise<void> {
  const body = { value, reason: 'short enough for a test' }
  expect((await put(`${url('a')}/config/${setting}`, token, { 'if-none-match': '*' }, body, mayRefuse))?.status).toBe(201)
}

/** Whatever fails from here on meets work of every kind, however slow the machine is. */
async function underWay(payers: Payers, leastMs: number): Promise<void> {
  await pause(leastMs)
  await vi.waitFor(() => expect(payers.known.length).toBeGreaterThan(10), { timeout: 30_000, interval: 20 })
}

type Work = Readonly<{ instances: Instances; payers: Payers; sink: WebhookSink; refusals: number }>

async function expectNothingWrong({ instances, payers, sink, refusals }: Work, what: string): Promise<void> {
  const { url, token, dataDir } = instances
  await untilQuiet(url('b'), token, 60_000)
  const look = (): Promise<Outcome> => outcomeOf({ url: url('b'), token, dataDir, subscribers }, payers.known, sink.heard)
  const quietAt = performance.now()
  let outcome = await look()
  // What a consumer has put off lies in the broker's queue, where nobody counts it.
  while (outcome.lost > 0 && performance.now() < quietAt + 20_000) {
    await pause(250)
    outcome = await look()
    if (outcome.lost === 0) tell('the last came', `${Math.round(performance.now() - quietAt)} ms after all was quiet`)
  }
  const answers = Object.fromEntries(payers.answers)
  // An endpoint is sent several messages at a time, so that their order there is told and not asserted.
  tell(what, { ...outcome, outOfOrderAtTheSink: outOfOrder(payers.known, sink.heard), answers })
  expect(payers.known.length).toBeGreaterThan(10)
  expect(payers.faults.filter((text) => !isRefusal(text))).toEqual([])
  expect(payers.faults.length).toBeLessThanOrEqual(refusals * [...payers.answers.values()].reduce((sum, count) => sum + count, 0))
  expect(outcome).toMatchObject(nothing)
}

describe('two instances that share SQLite and no other engine', { timeout: 60_000 }, () => {
  let instances: Instances
  beforeAll(async () => {
    instances = await openInstances({})
  }, 60_000)
  afterAll(() => instances?.close(), 30_000)

  it('L7: a setting written at one is soon seen at the other, and nothing older after it', () =>
    expectSeenAcross(instances, 'by-polling', 12))
})

const without = missing.length === 0 ? '' : ` (skipped: ${missing.join(' and ')} not on PATH)`

describe.each(openStores)(`two instances on $name, Redis and RabbitMQ${without}`, { timeout: 180_000 }, (store) => {
  const { here, open, clients, refusals } = store
  const mayRefuse = refusals > 0
  const run = it.skipIf(!here || missing.length > 0)
  let rabbit: RabbitCluster
  let redis: RedisServer
  let amqpUrl: string
  let instances: Instances
  let sink: WebhookSink
  const closing: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    if (!here || missing.length > 0) return
    ;[rabbit, redis, sink] = await Promise.all([startRabbit(), startRedis(), openWebhookSink()])
    closing.push(sink.close, redis.stop, rabbit.stop)
    amqpUrl = rabbit.nodes[0]?.url ?? ''
    await openTap(amqpUrl)
    const opened = await open()
    closing.unshift(opened.drop)
    instances = await openInstances({ ...opened.env, CBP_AMQP_URL: amqpUrl, CBP_REDIS_URL: `redis://127.0.0.1:${redis.port}` })
    closing.unshift(instances.close)
    await set(instances, 'delivery/relay.lease-ms', 3000, mayRefuse)
    await set(instances, 'delivery/webhook.timeout-ms', 2000, mayRefuse)
    await subscribe(instances, sink)
  }, 120_000)

  afterAll(async () => {
    for (const close of closing) await close()
  }, 60_000)

  const pay = (name: string, count = clients): Payers => startPayers({ urls: instances.urls, token: instances.token, name, clients: count })

  run('L7: a setting written at one is soon seen at the other, and nothing older after it', () =>
    expectSeenAcross(instances, 'by-wake-up', 30, mayRefuse),
  )

  run('L9 L12 L15 L17: kill -9 of one under load loses nothing, and the other takes its work over', async () => {
    const payers = pay('killed')
    await underWay(payers, 1500)
    await instances.kill('a')
    const killedAt = performance.now()
    await pause(1000)
    await payers.finish()
    await untilQuiet(instances.url('b'), instances.token, 60_000)
    tell('taken over', `${Math.round(performance.now() - killedAt)} ms after the kill`)
    await instances.restart('a')
    await expectNothingWrong({ instances, payers, sink, refusals }, 'kill -9 of one')
  })

  run('SIGTERM to one under load ends it in order, and no answer is lost', async () => {
    const payers = pay('stopped', clients / 2)
    await underWay(payers, 1000)
    const stoppedAt = performance.now()
    expect(await instances.stop('a')).toBe(0)
    const tookMs = performance.now() - stoppedAt
    tell('ended', `${Math.round(tookMs)} ms after SIGTERM`)
    expect(tookMs).toBeLessThan(20_000)
    await pause(300)
    await instances.restart('a')
    await payers.finish()
    await expectNothingWrong({ instances, payers, sink, refusals }, 'SIGTERM to one')
  })

  run('L12 L15: RabbitMQ killed and started again under load costs time and nothing else', async () => {
    const payers = pay('no-broker', 2)
    await underWay(payers, 700)
    await rabbit.nodes[0]?.kill()
    await untilHealth(instances, 'queue', 'warn', 20_000)
    await expectSeenAcross(instances, 'without-broker', 6, mayRefuse)
    await rabbit.nodes[0]?.start()
    await payers.finish()
    await untilHealth(instances, 'queue', 'pass', 60_000)
    await expectNothingWrong({ instances, payers, sink, refusals }, 'RabbitMQ killed')
  })

  run('L7: Redis killed under load costs no read', async () => {
    const follower = await followConfig(instances.url('b'), instances.token, 'shop', 'by-wake-up')
    await pause(300)
    await redis.kill()
    await untilHealth(instances, 'cache', 'warn', 20_000)
    await expectSeenAcross(instances, 'without-cache', 6, mayRefuse)
    await redis.restart()
    await untilHealth(instances, 'cache', 'pass', 20_000)
    await expectSeenAcross(instances, 'with-cache-again', 6, mayRefuse)
    await follower.stop()
    expect([follower.steppedBack(), follower.failed()]).toEqual([0, 0])
  })

  run('L13: whoever relayed them, the events of each stream have reached the broker in order', async () => {
    await untilQuiet(instances.url('b'), instances.token, 60_000)
    const tapped = await readTap(amqpUrl)
    const streams = Map.groupBy(tapped, ({ stream }) => stream)
    const firsts = [...streams].map(([stream, events]) => ({ stream, sequences: [...new Set(events.map(({ sequence }) => sequence))] }))
    const wrong = firsts.filter(({ sequences }) => sequences.some((sequence, index) => sequence !== index + 1))
    tell('at the broker', { messages: tapped.length, streams: streams.size, outOfOrderOrWithGaps: wrong.length })
    expect(streams.size).toBeGreaterThan(clients)
    expect(wrong).toEqual([])
    // Each refusal is a line of its own in the access log.
    const isRefused = (line: string): boolean => mayRefuse && line.includes('"status":503') && line.includes('"msg":"request"')
    expect(instances.errors().filter((line) => !isRefused(line))).toEqual([])
  })
})
