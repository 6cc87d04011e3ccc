import { connect } from 'amqplib'

/** One message as the broker took it. */
export type Tapped = Readonly<{ stream: string; sequence: number }>

const exchange = 'events'
const queue = 'test.tap'

/** A durable queue of the tests' own that keeps every event from now on, in the order in which the broker takes them. */
export async function openTap(url: string): Promise<void> {
  const model = await connect(url)
  const channel = await model.createChannel()
  await channel.assertExchange(exchange, 'topic', { durable: true })
  await channel.assertQueue(queue, { durable: true })
  await channel.bindQueue(queue, exchange, '#')
  await model.close()
}

/** Everything that has been kept; afterwards it is gone. */
export async function readTap(url: string): Promise<readonly Tapped[]> {
  const model = await connect(url)
  const channel = await model.createChannel()
  const { messageCount } = await channel.checkQueue(queue)
  const tapped: Tapped[] = []
  await new Promise<void>((resolve, reject) => {
    if (messageCount === 0) resolve()
    const take: Parameters<typeof channel.consume>[1] = (message) => {
      const headers = message?.properties.headers ?? {}
      tapped.push({ stream: String(headers['cbp-stream']), sequence: Number(headers['cbp-sequence']) })
      if (tapped.length === messageCount) resolve()
    }
    channel.consume(queue, take, { noAck: true }).catch(reject)
  })
  await model.close()
  return tapped
}
