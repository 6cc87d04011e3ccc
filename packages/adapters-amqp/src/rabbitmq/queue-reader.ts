import { type CancelSignal, type Clock, cancelSource, fullJitterMs, type Log, type Random } from '@cbp/core'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { reasonOf } from './reason.ts'
import { openQuietly } from './topology.ts'
import { declareTimeoutMs, within } from './within.ts'

/** `accept`: done. `requeue`: once more, counted. `give-up`: to the dead letters of the queue. `leave`: as if never seen. */
export type Verdict = 'accept' | 'requeue' | 'give-up' | 'leave'

export type QueueTask = Readonly<{
  queue: string
  /** Messages in hand at a time. */
  prefetch: number
  declare(channel: Channel): Promise<void>
  /** Never rejects. `cancel` fires when the message is no longer ours, or the reader stops. */
  take(message: ConsumeMessage, cancel: CancelSignal): Promise<Verdict>
}>

export type ReaderDependencies = Readonly<{ clock: Clock; random: Random; log: Log }>

/** Reads one queue over whatever connection there is, and opens its channel again when that alone is closed. */
export interface QueueReader {
  /** @param recycle gives the connection up, for another node may do better */
  attach(model: ChannelModel, recycle: (reason: string) => void): void
  detach(): void
  /** Takes no more messages, waits at most `drainMs` for those in hand, and leaves the rest to others. */
  stop(drainMs: number): Promise<void>
  /** Why it does not read, or `null`. */
  problem(): string | null
}

/** One channel, from its opening to its end. */
type Reading = Readonly<{
  channel: Channel
  consumerTag: string
  /** Resolves to why. */
  closed: Promise<string>
}>

type State = {
  model: ChannelModel | null
  reading: Reading | null
  problem: string | null
  isStopped: boolean
}

type Machine = Readonly<{
  deps: ReaderDependencies
  task: QueueTask
  state: State
  inHand: Set<Promise<void>>
  stopping: ReturnType<typeof cancelSource>
}>

const reopenBackoff = { baseMs: 100, capMs: 5_000 }

export function queueReader(deps: ReaderDependencies, task: QueueTask): QueueReader {
  const state: State = { model: null, reading: null, problem: null, isStopped: false }
  const machine: Machine = { deps, task, state, inHand: new Set(), stopping: cancelSource() }
  return {
    attach(model, recycle) {
      state.model = model
      void keepReading(machine, model, recycle)
    },
    detach() {
      state.model = null
    },
    problem: () => state.problem,
    async stop(drainMs) {
      if (state.isStopped) return
      state.isStopped = true
      const timer = cancelSource()
      await Promise.race([finish(machine), deps.clock.sleep(drainMs, timer.signal)])
      timer.cancel()
      // What is not answered goes back to the queue with the channel.
      void state.reading?.channel.close().catch(() => {})
    },
  }
}

async function finish({ state, inHand, stopping }: Machine): Promise<void> {
  const { reading } = state
  stopping.cancel()
  if (reading !== null) await reading.channel.cancel(reading.consumerTag).catch(() => {})
  await Promise.all(inHand)
  if (reading !== null) await reading.channel.close().catch(() => {})
}

/** Opens the channel again when it alone is closed: its queue was deleted, or a message was in hand for too long. */
async function keepReading(machine: Machine, model: ChannelModel, recycle: (reason: string) => void): Promise<void> {
  const { deps, task, state } = machine
  const isOver = (): boolean => state.model !== model || state.isStopped
  for (let failures = 1; !isOver(); failures += 1) {
    try {
      const reading = await within(deps.clock, declareTimeoutMs, open(machine, model))
      if (reading === undefined) return recycle(`queue "${task.queue}" cannot be read: no answer within ${declareTimeoutMs} ms`)
      if (isOver()) return void reading.channel.close().catch(() => {})
      state.reading = reading
      state.problem = null
      failures = 1
      state.problem = await reading.closed
      state.reading = null
    } catch (error) {
      state.problem = reasonOf(error)
    }
    if (isOver()) return
    deps.log.write('warn', 'a queue is not read for now', { queue: task.queue, reason: state.problem })
    await deps.clock.sleep(fullJitterMs(deps.random, failures, reopenBackoff.baseMs, reopenBackoff.capMs) + 1, machine.stopping.signal)
  }
}

async function open(machine: Machine, model: ChannelModel): Promise<Reading> {
  const { task } = machine
  const declaring = await openQuietly(model)
  await task.declare(declaring)
  await declaring.close()
  const channel = await openQuietly(model)
  const { signal, cancel } = cancelSource()
  const closed = new Promise<string>((resolve) => {
    let failure = 'the channel was closed'
    channel.on('error', (error) => {
      failure = reasonOf(error)
    })
    channel.on('close', () => {
      cancel()
      resolve(failure)
    })
  })
  machine.stopping.signal.addEventListener('abort', cancel)
  await channel.prefetch(task.prefetch)
  const { consumerTag } = await channel.consume(task.queue, (message) => {
    // The broker ends the consumption, such as when the queue is deleted.
    if (message === null) void channel.close().catch(() => {})
    else takeInHand(machine, channel, message, signal)
  })
  return { channel, consumerTag, closed }
}

function takeInHand({ task, state, inHand }: Machine, channel: Channel, message: ConsumeMessage, cancel: CancelSignal): void {
  if (state.isStopped) return
  const taken = task.take(message, cancel).then((verdict) => {
    inHand.delete(taken)
    answer(channel, message, verdict)
  })
  inHand.add(taken)
}

function answer(channel: Channel, message: ConsumeMessage, verdict: Verdict): void {
  try {
    if (verdict === 'accept') channel.ack(message)
    // Reject, for later versions do not count a requeueing nack towards the delivery limit.
    else if (verdict === 'requeue') channel.reject(message, true)
    else if (verdict === 'give-up') channel.reject(message, false)
  } catch {
    // The channel is gone, and the broker delivers the message again.
  }
}

/** What a message that cannot be read calls itself. */
export function nameOf({ properties }: ConsumeMessage): string {
  const { messageId } = properties as Readonly<{ messageId: unknown }>
  return typeof messageId === 'string' ? messageId.slice(0, 100) : 'without an id'
}
