import { type EventBrokerHarness, eventBrokerContract, signalsContract } from '@cbp/core/testing'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { rabbitEventBroker } from '../src/rabbitmq/rabbit-event-broker.ts'
import { type RabbitSignals, rabbitSignals } from '../src/rabbitmq/rabbit-signals.ts'
import { openRabbit, type Rabbit, rabbitIsHere } from './rabbitmq.ts'
import { systemClock as clock, silentLog as log, systemRandom as random } from './system.ts'
import { tcpProxy } from './tcp-proxy.ts'

let rabbit: Rabbit
let count = 0
/** Names of its own for each test: they share one broker. */
const nextPrefix = (): string => {
  count += 1
  return `contract-${process.pid}-${count}.`
}

async function remove(prefix: string, consumers: ReadonlySet<string>): Promise<void> {
  const operator = await connect(rabbit.url)
  const channel = await operator.createChannel()
  for (const name of ['dispatch', 'dead', 'parked', ...consumers]) await channel.deleteQueue(`${prefix}cbp.${name}`)
  for (const name of ['events', 'cbp.dead-letters']) await channel.deleteExchange(`${prefix}${name}`)
  await operator.close()
}

async function openBroker(): Promise<EventBrokerHarness> {
  const prefix = nextPrefix()
  const limits = { pauseBaseMs: 5, pauseCapMs: 20, drainMs: 200, window: 64 }
  const broker = rabbitEventBroker({ urls: [rabbit.url], clock, random, log, prefix, limits })
  const consumers = new Set<string>()
  return {
    broker: {
      publish: broker.publish,
      subscribe(consumer) {
        consumers.add(consumer.name)
        return broker.subscribe(consumer)
      },
    },
    async close() {
      await broker.close()
      await remove(prefix, consumers)
    },
  }
}

function signalsAt(prefix: string, url = rabbit.url): RabbitSignals {
  return rabbitSignals({ urls: [url], clock, random, log, prefix })
}

async function connected(...signals: readonly RabbitSignals[]): Promise<void> {
  await vi.waitFor(() => expect(signals.map((each) => each.state().kind)).toEqual(signals.map(() => 'connected')), { timeout: 10_000 })
}

/** Resolves once `to` has heard what `from` raised before. */
async function heard(from: RabbitSignals, to: RabbitSignals): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = to.listen('deliveries', () => {
      stop()
      resolve()
    })
    from.raise('deliveries')
  })
}

describe.skipIf(!rabbitIsHere())('RabbitMQ', { timeout: 30_000 }, () => {
  beforeAll(async () => {
    rabbit = await openRabbit()
  }, 120_000)
  afterAll(() => rabbit.stop())

  eventBrokerContract(openBroker, 8)

  describe('from one instance to another', () => {
    signalsContract(async () => {
      const prefix = nextPrefix()
      const [one, two] = [signalsAt(prefix), signalsAt(prefix)]
      await connected(one, two)
      return {
        signals: { raise: one.raise, listen: two.listen },
        arrived: () => heard(one, two),
        close: async () => void (await Promise.all([one.close(), two.close()])),
      }
    })
  })

  describe('within one instance, the broker away', () => {
    signalsContract(async () => {
      const signals = signalsAt(nextPrefix(), 'amqp://guest:guest@127.0.0.1:1')
      return { signals, arrived: async () => {}, close: signals.close }
    })
  })

  it('wakes other instances once for wake-ups that come together', async () => {
    const prefix = nextPrefix()
    const [one, two] = [signalsAt(prefix), signalsAt(prefix)]
    await connected(one, two)
    let wakes = 0
    two.listen('revisions', () => {
      wakes += 1
    })
    for (let count = 0; count < 1_000; count += 1) one.raise('revisions')
    await heard(one, two)
    expect(wakes).toBeGreaterThan(0)
    expect(wakes).toBeLessThanOrEqual(10)
    await Promise.all([one.close(), two.close()])
  })

  it('wakes others for what a short-lived process raised before it was connected and ended', async () => {
    const prefix = nextPrefix()
    const long = signalsAt(prefix)
    await connected(long)
    await heard(long, long)
    const woken = new Set<string>()
    long.listen('access', () => woken.add('access'))
    const brief = signalsAt(prefix)
    brief.raise('access')
    await brief.close()
    await vi.waitFor(() => expect([...woken]).toEqual(['access']), { timeout: 2_000 })
    await long.close()
  })

  it('wakes everybody after a lost connection, for what was missed meanwhile', async () => {
    const proxy = await tcpProxy(rabbit.url)
    const signals = signalsAt(nextPrefix(), proxy.url)
    await connected(signals)
    const woken = new Set<string>()
    for (const topic of ['revisions', 'events', 'deliveries'] as const) signals.listen(topic, () => woken.add(topic))
    proxy.cut()
    await vi.waitFor(() => expect(woken).toEqual(new Set(['revisions', 'events', 'deliveries'])), { timeout: 10_000 })
    await signals.close()
    await proxy.stop()
  })
})
