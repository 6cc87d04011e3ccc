import { type BrokerUnavailable, type Clock, type EventRefused, type Instant, type Log, routingKey, type SequencedEvent } from '@cbp/core'
import type { ChannelModel, ConfirmChannel, Message } from 'amqplib'
import { err, errAsync, ok, ResultAsync } from 'neverthrow'
import { gatherWrites } from './gather-writes.ts'
import { contentOf, optionsOf } from './message.ts'
import { type LinkDependencies, type LinkState, type RabbitLink, rabbitLink } from './rabbit-link.ts'
import { reasonOf } from './reason.ts'
import { type ConsumerQueue, declareTopology, type Topology } from './topology.ts'
import { type Entry, type Publishing, type Unconfirmed, unconfirmedEvents } from './unconfirmed.ts'
import { declareTimeoutMs, within } from './within.ts'

export type PublisherLimits = Readonly<{
  /** Unconfirmed messages at a time; what is published beyond waits. */
  window: number
  /** From `publish` to its answer, at the longest. */
  confirmTimeoutMs: number
}>

export interface Publisher {
  publish(event: SequencedEvent): ResultAsync<void, BrokerUnavailable | EventRefused>
  /** What is published from now on waits until the queue holds its events. */
  addQueue(queue: ConsumerQueue): void
  removeQueue(queue: ConsumerQueue): void
  state(): LinkState
  unconfirmed(): number
  problems(): readonly string[]
  /** Takes nothing more, and waits for what was taken, each until its deadline. */
  close(): Promise<void>
}

type Opened = Readonly<{ channel: ConfirmChannel; isOpen: () => boolean; gather: () => void }>

type State = {
  model: ChannelModel | null
  channel: Opened | null
  /** False while the driver's own buffer is full. */
  writable: boolean
  declaring: boolean
  declareAgain: boolean
  problems: readonly string[]
  confirms: number
  confirmedAt: Instant
  renewedAt: Instant
  /** Why nothing can be published for now. */
  outage: string | null
  isClosed: boolean
}

type Machine = Readonly<{
  topology: Topology
  clock: Clock
  log: Log
  limits: PublisherLimits
  state: State
  queues: Set<ConsumerQueue>
  entries: Unconfirmed
  link: RabbitLink
}>

const confirmed: Publishing = ok()
/** While others have been confirmed so recently, a nack is the event's own. */
const othersMs = 1_000
const renewalMs = 250

/**
 * Publishes with confirms over a connection of its own, since a broker in alarm stops reading from connections that publish,
 * acknowledgements of consumers included.
 */
export function publisher(deps: LinkDependencies, topology: Topology, limits: PublisherLimits): Publisher {
  const machine = assemble(deps, topology, limits)
  const { state, queues, entries, link } = machine
  return {
    publish(event) {
      if (state.isClosed) return errAsync({ kind: 'broker-unavailable', reason: 'the broker is closed' })
      link.start()
      if (state.outage !== null) return errAsync({ kind: 'broker-unavailable', reason: state.outage })
      return new ResultAsync(
        new Promise((answer) => {
          entries.add(event, answer)
          pump(machine)
        }),
      )
    },
    addQueue(queue) {
      queues.add(queue)
      link.start()
      state.declareAgain = true
      void declareAnew(machine)
    },
    removeQueue: (queue) => void queues.delete(queue),
    state: link.state,
    unconfirmed: () => entries.inFlight.size,
    problems: () => state.problems,
    async close() {
      state.isClosed = true
      await entries.whenEmpty()
      await link.close()
    },
  }
}

function assemble(deps: LinkDependencies, topology: Topology, limits: PublisherLimits): Machine {
  const state: State = {
    model: null,
    channel: null,
    writable: true,
    declaring: false,
    declareAgain: false,
    problems: [],
    confirms: 0,
    confirmedAt: Number.NEGATIVE_INFINITY,
    renewedAt: Number.NEGATIVE_INFINITY,
    outage: null,
    isClosed: false,
  }
  const entries = unconfirmedEvents(deps.clock, limits.confirmTimeoutMs, (entry) => expire(machine, entry))
  const link = rabbitLink(deps, 'publishing', {
    opened: (model) => use(machine, model),
    lost: (reason) => lose(machine, reason),
    blocked(reason) {
      state.outage = reason === null ? null : `the broker takes nothing: ${reason}`
      if (state.outage === null) return
      entries.failAll(entries.inFlight, state.outage)
      entries.failAll(entries.waiting, state.outage)
    },
  })
  const machine: Machine = { topology, clock: deps.clock, log: deps.log, limits, state, queues: new Set(), entries, link }
  return machine
}

/** Sends what waits, as far as there is room. */
function pump(machine: Machine): void {
  const { state, entries, limits } = machine
  if (entries.waiting.size === 0) return
  for (const entry of entries.waiting) {
    const { channel } = state
    if (channel === null || !state.writable || state.declaring || state.outage !== null) return
    if (entries.inFlight.size >= limits.window) return
    send(machine, channel, entry)
  }
}

function send(machine: Machine, opened: Opened, entry: Entry): void {
  const { topology, state, entries } = machine
  const { event } = entry
  entries.waiting.delete(entry)
  entries.inFlight.add(entry)
  entry.confirmsBefore = state.confirms
  const answered = (failure: unknown): void => {
    entries.settle(entry, answerTo(machine, opened, entry, failure))
    pump(machine)
  }
  opened.gather()
  try {
    state.writable = opened.channel.publish(topology.events, routingKey(event.event.type), contentOf(event), optionsOf(event), answered)
  } catch (error) {
    const reason = reasonOf(error)
    const isGone = !opened.isOpen() || (error instanceof Error && error.name === 'IllegalOperationError')
    entries.settle(entry, isGone ? unavailable(reason) : refused(reason))
  }
}

function answerTo(machine: Machine, { channel, isOpen }: Opened, entry: Entry, failure: unknown): Publishing {
  const { state, clock } = machine
  if (failure === null) {
    state.confirms += 1
    state.confirmedAt = clock.now()
    return entry.returned === null ? confirmed : refused(entry.returned)
  }
  if (!isOpen()) return unavailable('the channel was closed before the confirm')
  if (state.channel?.channel === channel) void renew(machine)
  const reason = 'the broker answered that it could not take the event (nack)'
  return clock.now() - state.confirmedAt < othersMs ? refused(reason) : unavailable(reason)
}

/**
 * RabbitMQ was seen to answer a channel with nacks for good when its first publish to a quorum queue came while the leader was
 * being replaced. A new channel asks again (ADR 10).
 */
async function renew(machine: Machine): Promise<void> {
  const { state, clock } = machine
  const { model, channel: old } = state
  if (model === null || clock.now() - state.renewedAt < renewalMs) return
  state.renewedAt = clock.now()
  try {
    await openChannel(machine, model)
    // What is in flight on the old one is still answered there.
    await old?.channel.waitForConfirms().catch(() => {})
    await old?.channel.close()
  } catch {
    // The connection has ended meanwhile, and all channels with it.
  }
}

function expire(machine: Machine, entry: Entry): void {
  const { state, entries, limits } = machine
  const reason = `no confirm within ${limits.confirmTimeoutMs} ms`
  const wasSent = entries.inFlight.has(entry)
  const othersAreConfirmed = wasSent && state.confirms > entry.confirmsBefore
  // While others are confirmed the silence is this event's own, such as of one queue that has lost its majority.
  entries.settle(entry, othersAreConfirmed ? refused(reason) : unavailable(reason))
  if (wasSent && !othersAreConfirmed) recycle(machine, reason)
  pump(machine)
}

function recycle({ state, link }: Machine, reason: string): void {
  if (state.channel === null) return
  state.channel = null
  link.recycle(reason)
}

async function use(machine: Machine, model: ChannelModel): Promise<void> {
  const { state } = machine
  await declare(machine, model)
  state.model = model
  state.confirmedAt = Number.NEGATIVE_INFINITY
  // A broker that is in alarm says so only once something is published.
  state.outage = null
  await openChannel(machine, model)
  if (state.declareAgain) void declareAnew(machine)
}

async function openChannel(machine: Machine, model: ChannelModel): Promise<void> {
  const { state } = machine
  const channel = await model.createConfirmChannel()
  let failure = 'the channel was closed'
  let isOpen = true
  const opened: Opened = { channel, isOpen: () => isOpen, gather: gatherWrites(model) }
  channel.on('error', (error) => {
    failure = reasonOf(error)
  })
  // Before the driver's own listener, which answers what is unconfirmed: it must be seen that the channel is gone.
  channel.prependListener('close', () => {
    isOpen = false
    if (state.channel === opened) recycle(machine, failure)
  })
  channel.on('return', (message) => takeBack(machine, message))
  channel.on('drain', () => {
    if (state.channel === opened) state.writable = true
    pump(machine)
  })
  if (state.model !== model) return
  state.writable = true
  state.channel = opened
  pump(machine)
}

function lose({ state, entries }: Machine, reason: string): void {
  const wasUsed = state.model !== null
  state.channel = null
  state.model = null
  entries.failAll(entries.inFlight, reason)
  // The first attempt after a loss often succeeds at once: only when that fails too is there nothing to wait for.
  if (wasUsed && !state.isClosed) return
  state.outage = reason
  entries.failAll(entries.waiting, reason)
}

/** Every event has a queue: that one has none means that somebody took the queue away. */
function takeBack(machine: Machine, { properties, fields }: Message): void {
  const { messageId } = properties as Readonly<{ messageId: unknown }>
  const { replyText } = fields as unknown as Readonly<{ replyText: string }>
  for (const entry of machine.entries.inFlight) {
    if (entry.event.id !== messageId || entry.returned !== null) continue
    entry.returned = `the broker returned the event: ${replyText}`
    break
  }
  if (!machine.state.declaring) void declareAnew(machine)
}

/** What is published meanwhile waits. */
async function declareAnew(machine: Machine): Promise<void> {
  const { state } = machine
  const { model } = state
  if (model === null || state.declaring) return
  const declared = declare(machine, model).then(() => null, reasonOf)
  const failure = await within(machine.clock, declareTimeoutMs, declared)
  // The end of the connection also ends a declaration that is not answered.
  if (failure !== null && state.model === model) recycle(machine, failure ?? `no answer to a declaration within ${declareTimeoutMs} ms`)
  pump(machine)
}

async function declare({ state, topology, queues, log }: Machine, model: ChannelModel): Promise<void> {
  state.declaring = true
  try {
    do {
      state.declareAgain = false
      state.problems = await declareTopology(model, topology, [...queues], log)
    } while (state.declareAgain)
  } finally {
    state.declaring = false
  }
}

function refused(reason: string): Publishing {
  return err({ kind: 'event-refused', reason })
}

function unavailable(reason: string): Publishing {
  return err({ kind: 'broker-unavailable', reason })
}
