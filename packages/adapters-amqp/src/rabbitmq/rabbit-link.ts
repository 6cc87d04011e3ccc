import { type Clock, cancelSource, fullJitterMs, type Log, type Random } from '@cbp/core'
import type { ChannelModel } from 'amqplib'
import { reasonOf } from './reason.ts'
import { declareTimeoutMs, within } from './within.ts'

export type LinkState =
  | Readonly<{ kind: 'idle' | 'connecting' | 'connected' | 'closed' }>
  /** The broker takes nothing for now: an alarm about its memory or disk. */
  | Readonly<{ kind: 'blocked'; reason: string }>
  | Readonly<{ kind: 'away'; reason: string }>

/** What is done over a connection. */
export type LinkUser = Readonly<{
  /** Rejects when the connection is of no use; the next is tried then. */
  opened(model: ChannelModel): Promise<void>
  /** The connection of `opened` has ended, or could not be had. */
  lost(reason: string): void
  /** `null` when the broker takes messages again. */
  blocked?(reason: string | null): void
}>

export type LinkDependencies = Readonly<{
  /** `amqp://` or `amqps://`, of the nodes of one cluster. */
  urls: readonly string[]
  clock: Clock
  random: Random
  log: Log
}>

/** One connection at a time, to one of several nodes, again and again. */
export interface RabbitLink {
  /** Connects, and from then on again whenever the connection is lost; further calls do nothing. */
  start(): void
  state(): LinkState
  /** Gives the present connection up, so that the next is tried. */
  recycle(reason: string): void
  close(): Promise<void>
}

const reconnectBackoff = { baseMs: 100, capMs: 5_000 }
const connectTimeoutMs = 10_000
const closeTimeoutMs = 1_000
const heartbeatSeconds = 10
/** Room for what is published in one turn of the event loop; Node's own 64 KiB hold a hundred messages. */
const writeBufferBytes = 1024 * 1024

type Machine = Readonly<{
  deps: LinkDependencies
  targets: readonly Target[]
  purpose: string
  user: LinkUser
  stop: ReturnType<typeof cancelSource>
  present: {
    state: LinkState
    /** Failures since the last connection that was of use. */
    failures: number
    giveUp: (reason: string) => void
  }
}>

/** @param purpose names the connection at the broker and in the log */
export function rabbitLink(deps: LinkDependencies, purpose: string, user: LinkUser): RabbitLink {
  const present: Machine['present'] = { state: { kind: 'idle' }, failures: 0, giveUp: () => {} }
  const machine: Machine = { deps, targets: deps.urls.map(targetOf), purpose, user, stop: cancelSource(), present }
  const { stop } = machine
  let running: Promise<void> | null = null
  return {
    start() {
      if (running !== null || stop.signal.aborted) return
      present.state = { kind: 'connecting' }
      running = run(machine)
    },
    state: () => present.state,
    recycle: (reason) => present.giveUp(reason),
    async close() {
      present.state = { kind: 'closed' }
      stop.cancel()
      present.giveUp('closed')
      if (running === null) return
      // An attempt to connect ends by its own time-out, and finds that nobody wants it any more.
      await within(deps.clock, 2 * closeTimeoutMs, running)
    },
  }
}

async function run(machine: Machine): Promise<void> {
  const { deps, targets, purpose, user, stop, present } = machine
  for (let turn = 0; !stop.signal.aborted; turn += 1) {
    const target = targets[turn % targets.length]
    if (target === undefined) throw new Error('RabbitMQ needs at least one URL')
    const reason = await connection(machine, target)
    if (stop.signal.aborted) break
    const { host } = target
    present.failures += 1
    present.state = { kind: 'away', reason: `${host}: ${reason}` }
    deps.log.write('warn', 'no connection to RabbitMQ', { purpose, host, reason, failures: present.failures })
    user.lost(present.state.reason)
    const pauseMs = fullJitterMs(deps.random, present.failures, reconnectBackoff.baseMs, reconnectBackoff.capMs)
    await deps.clock.sleep(pauseMs + 1, stop.signal)
  }
  user.lost('closed')
}

/** One connection from beginning to end; answers why it ended. */
async function connection(machine: Machine, { url, host }: Target): Promise<string> {
  const { deps, purpose, stop } = machine
  // Loaded only by those who use it.
  const { connect } = await import('amqplib')
  try {
    // Goes to the socket as it is, though the driver's types do not name all of it.
    const options = {
      timeout: connectTimeoutMs,
      noDelay: true,
      highWaterMark: writeBufferBytes,
      clientProperties: { connection_name: `cbp ${purpose}` },
    }
    const model = await connect(url, options)
    const reason = stop.signal.aborted ? 'closed' : await useUntilEnd(machine, model, host)
    await end(model, deps.clock)
    return reason
  } catch (error) {
    return reasonOf(error)
  }
}

async function useUntilEnd(machine: Machine, model: ChannelModel, host: string): Promise<string> {
  const { deps, purpose, user, present } = machine
  const ended = new Promise<string>((resolve) => {
    present.giveUp = resolve
    let failure = 'closed'
    model.on('error', (error) => {
      failure = reasonOf(error)
    })
    model.on('close', (error) => resolve(error === undefined ? failure : reasonOf(error)))
  })
  model.on('blocked', (reason) => noteBlocked(machine, reason))
  model.on('unblocked', () => noteBlocked(machine, null))
  const opened = user.opened(model).then(() => null, reasonOf)
  const failure = await within(deps.clock, declareTimeoutMs, Promise.race([opened, ended]))
  if (failure === undefined) return `not usable within ${declareTimeoutMs} ms`
  if (failure !== null) return failure
  present.failures = 0
  if (present.state.kind !== 'blocked' && present.state.kind !== 'closed') present.state = { kind: 'connected' }
  deps.log.write('info', 'connected to RabbitMQ', { purpose, host })
  return ended
}

function noteBlocked({ deps, purpose, user, present }: Machine, reason: string | null): void {
  present.state = reason === null ? { kind: 'connected' } : { kind: 'blocked', reason }
  const message = reason === null ? 'RabbitMQ takes messages again' : 'RabbitMQ takes no messages'
  deps.log.write(reason === null ? 'info' : 'warn', message, { purpose, reason })
  user.blocked?.(reason)
}

/** A peer that does not answer must not hold its socket open. */
async function end(model: ChannelModel, clock: Clock): Promise<void> {
  await within(
    clock,
    closeTimeoutMs,
    model.close().catch(() => {}),
  )
  const { stream } = model.connection as unknown as Readonly<{ stream?: { destroy(): void } }>
  stream?.destroy()
}

type Target = Readonly<{ url: string; host: string }>

function targetOf(given: string): Target {
  const url = new URL(given)
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatSeconds))
  return { url: url.href, host: url.host }
}
