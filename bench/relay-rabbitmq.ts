import { join } from 'node:path'
import { type RabbitEventBroker, rabbitEventBroker } from '@cbp/adapters-amqp'
import { type EventDraft, type Ports, routingKey, wireBody } from '@cbp/core'
import { systemClock } from '@cbp/http/assembly'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import { openRabbit } from '../packages/adapters-amqp/tests/rabbitmq.ts'
import { commitEvents, eventOf, startRelay, until } from './lib/events.ts'
import { type Hexagon, openHexagon } from './lib/hexagon.ts'
import { progress, type Report, ratioOf } from './lib/report.ts'
import { median } from './lib/statistics.ts'
import { temporaryDirectory } from './lib/workspace.ts'

const events = Number(process.env['BENCH_EVENTS'] ?? 20_000)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7)
const streams = 1000
/** As many streams as the relay has in hand, each with one event unconfirmed. */
const window = 512
const writers = 256
const eventsPerUnit = 1000

type Figures = Readonly<{ perSecond: number; cpuMicros: number }>
type Contender = 'bare amqplib' | 'relay, backlog' | 'relay, while written'
/** Publishes the round's events, and resolves once all are confirmed. */
type Run = () => Promise<Figures>

/** Events from their commit to the confirmation of a quorum queue. */
export async function relayRabbitmq(): Promise<Report> {
  using directory = temporaryDirectory()
  const rabbit = await openRabbit()
  const prefix = `bench-${process.pid}.`
  const model = await connect(rabbit.url)
  const contest = await openContest(join(directory.path, 'store'), rabbit.url, prefix, model)
  const samples = new Map<Contender, Figures[]>(contest.runs.map(([name]) => [name, []]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const index of contest.runs.keys()) {
      const [name, run] = contest.runs[(index + round) % contest.runs.length] as (typeof contest.runs)[number]
      const figures = await run()
      await contest.empty()
      progress(`  round ${round}, ${name}: ${Math.round(figures.perSecond)}/s, ${figures.cpuMicros.toFixed(1)} us of CPU an event`)
      if (round > 0) samples.get(name)?.push(figures)
    }
  }
  await contest.close()
  await model.close()
  await rabbit.stop()
  return reportOf(samples)
}

function reportOf(samples: ReadonlyMap<Contender, readonly Figures[]>): Report {
  const rates = (name: Contender): readonly number[] => (samples.get(name) ?? []).map(({ perSecond }) => perSecond)
  const bare = median(rates('bare amqplib'))
  return {
    setup: {
      events: `${events} a round in ${streams} streams, ${rounds} rounds in turns after one to warm up, medians`,
      broker:
        'one RabbitMQ node on this machine; one durable quorum queue behind a topic exchange, persistent, mandatory, confirmed; no consumer',
      window: `${window} unconfirmed: the relay has so many streams in hand with one event each, the bare loop so many messages`,
      'bare amqplib': 'the same bodies, headers, exchange and queue; bodies made beforehand; no store, no order within streams',
    },
    table: [...samples].map(([name, figures]) => ({
      contender: name,
      'events/s': median(rates(name)),
      'of bare': `${(median(rates(name)) / bare).toFixed(2)} x`,
      'CPU us/event': median(figures.map(({ cpuMicros }) => cpuMicros)),
    })),
    aims: [
      {
        what: 'relay over a backlog, of the rate of bare amqplib',
        ...ratioOf(rates('relay, backlog'), rates('bare amqplib')),
        unit: 'x',
        aim: 0.8,
        better: 'higher',
      },
    ],
    notes: [
      'backlog: from the start of the relay to the last confirmation, everything committed before',
      `while written: from the first commit to the last confirmation, ${writers} concurrent units of one durable event each in the same thread`,
      'the CPU is that of this process; the broker has its own, and shares the cores of a small machine',
    ],
    samples: Object.fromEntries(samples),
  }
}

type Contest = Readonly<{ runs: readonly (readonly [Contender, Run])[]; empty: () => Promise<void>; close: () => Promise<void> }>

async function openContest(directory: string, url: string, prefix: string, model: ChannelModel): Promise<Contest> {
  const log = { write: () => {} }
  const broker = rabbitEventBroker({ urls: [url], clock: systemClock, random: { fraction: () => 0.5 }, log, prefix })
  let confirmed = 0
  const decorate = (ports: Ports): Ports => ({ ...ports, eventBroker: counting(broker, () => confirmed++) })
  const hexagon = await openHexagon(directory, { decorate })
  const untilConfirmed = async (count: number): Promise<void> => {
    await until('every event is confirmed', () => confirmed === count)
    confirmed = 0
  }
  const backlog: Run = async () => {
    await commitBacklog(hexagon)
    const watch = startWatch()
    const running = startRelay(hexagon)
    await untilConfirmed(events)
    const figures = watch()
    await running.stop()
    return figures
  }
  const live: Run = async () => {
    const running = startRelay(hexagon)
    const watch = startWatch()
    await commitOneByOne(hexagon)
    await untilConfirmed(events)
    const figures = watch()
    await running.stop()
    return figures
  }
  // Declares the exchange and its queue, which the bare loop uses as well.
  await backlog()
  const channel = await model.createConfirmChannel()
  const queue = `${prefix}cbp.dispatch`
  const messages = Array.from({ length: events }, (_, index) => messageOf(eventOf(hexagon.ports, index % streams)))
  const bare: Run = async () => {
    const watch = startWatch()
    await publishBare(channel, `${prefix}events`, messages)
    return watch()
  }
  return {
    runs: [
      ['bare amqplib', bare],
      ['relay, backlog', backlog],
      ['relay, while written', live],
    ],
    empty: async () => void (await channel.purgeQueue(queue)),
    async close() {
      await hexagon[Symbol.asyncDispose]()
      await broker.close()
      for (const name of ['cbp.dispatch', 'cbp.dead', 'cbp.parked']) await channel.deleteQueue(`${prefix}${name}`)
      for (const name of ['events', 'cbp.dead-letters']) await channel.deleteExchange(`${prefix}${name}`)
    },
  }
}

function counting({ publish }: RabbitEventBroker, note: () => void): Ports['eventBroker'] {
  return {
    // Nobody consumes: what is measured ends with the confirmation.
    subscribe: () => async () => {},
    publish(event) {
      const published = publish(event)
      void published.then((confirmed) => {
        if (confirmed.isOk()) note()
      })
      return published
    },
  }
}

/** Answers, for a round of events, what has passed since. */
function startWatch(): () => Figures {
  const [from, cpu] = [performance.now(), process.cpuUsage()]
  return () => {
    const tookMs = performance.now() - from
    const { user, system } = process.cpuUsage(cpu)
    return { perSecond: (events * 1000) / tookMs, cpuMicros: (user + system) / events }
  }
}

async function commitBacklog({ ports }: Hexagon): Promise<void> {
  for (let from = 0; from < events; from += eventsPerUnit) {
    const unit = Array.from({ length: Math.min(eventsPerUnit, events - from) }, (_, index) => eventOf(ports, (from + index) % streams))
    await commitEvents(ports, unit)
  }
}

async function commitOneByOne({ ports }: Hexagon): Promise<void> {
  let next = 0
  const run = async (): Promise<void> => {
    while (next < events) {
      const event = eventOf(ports, next % streams)
      next += 1
      await commitEvents(ports, [event])
    }
  }
  await Promise.all(Array.from({ length: writers }, run))
}

type Message = EventDraft & Readonly<{ content: Buffer }>

function messageOf(draft: EventDraft): Message {
  return { ...draft, content: Buffer.from(wireBody(draft.event)) }
}

/** What whoever publishes with confirms would write. */
function publishBare(channel: ConfirmChannel, exchange: string, messages: readonly Message[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let [next, confirmed] = [0, 0]
    const fill = (): void => {
      while (next < messages.length && next - confirmed < window) {
        const { id, stream, event, occurredAt, content } = messages[next] as Message
        next += 1
        const headers = { 'cbp-stream': stream, 'cbp-sequence': next, 'cbp-occurred-at': occurredAt }
        const options = {
          mandatory: true,
          persistent: true,
          messageId: id,
          type: event.type,
          contentType: 'application/json',
          headers,
        }
        channel.publish(exchange, routingKey(event.type), content, options, (failure: unknown) => {
          if (failure !== null) return reject(new Error('the broker did not confirm'))
          confirmed += 1
          if (confirmed === messages.length) resolve()
          else fill()
        })
      }
    }
    fill()
  })
}
