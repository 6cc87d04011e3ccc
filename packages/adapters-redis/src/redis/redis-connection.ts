import type { Clock, Log, Random } from '@cbp/core'
import { askCluster, askServer, reasonOf } from './ask.ts'
import { type Circuits, circuits } from './circuits.ts'
import type { RedisClient } from './driver.ts'
import { gather } from './gather.ts'
import { type LazyClient, lazyClient } from './lazy-client.ts'
import { examine, inTime, nodeOf, type RedisHealth, servingNodes, unwell } from './nodes.ts'
import type { RedisTarget } from './redis-target.ts'
import { type RefusedWrites, refusedWrites } from './refused-writes.ts'
import { type RedisScripts, redisScripts } from './scripts.ts'
import { type TickDeadlines, tickDeadlines } from './tick-deadlines.ts'

/** The answer in place of one that did not come: too late, refused, or not even asked for. */
export const away: unique symbol = Symbol('Redis is away')
export type Away = typeof away

export type RedisConnectionOptions = Readonly<{
  target: RedisTarget
  clock: Clock
  random: Random
  log: Log
  /** In PEM, in place of those that the platform trusts. */
  certificateAuthority?: string
  /** What a call may cost; up to a fifth more. */
  deadlineMs?: number
}>

/**
 * One connection to Redis, or one to each node of a cluster, made when first used and kept up from then on. Nothing here
 * rejects or waits much longer than the deadline, apart from `connect` and `health`, which wait a second.
 */
export interface RedisConnection {
  get(key: string): Promise<string | null | Away>
  /** Runs a script for one key; a text is why it could do nothing. `takeRate` answers the server's time and what it was asked. */
  script(name: keyof RedisScripts, key: string, args: readonly (string | number)[]): Promise<unknown>
  /** Removes a key, some time, perhaps. */
  drop(key: string): void
  /** Waits for the connection, a second at most; calls do without. */
  connect(): Promise<void>
  /** Asks every node. */
  health(): Promise<RedisHealth>
  close(): Promise<void>
}

const defaultDeadlineMs = 50
const deadlineTicks = 5

export function redisConnection(options: RedisConnectionOptions): RedisConnection {
  return connectionWith(options, redisScripts)
}

export function connectionWith(options: RedisConnectionOptions, scripts: RedisScripts): RedisConnection {
  const { target, clock, random, log, certificateAuthority, deadlineMs = defaultDeadlineMs } = options
  const client = lazyClient({ target, scripts, random, log, certificateAuthority })
  const breakers = circuits({
    clock,
    random,
    onOpen: (node, reason) =>
      log.write('warn', 'Redis does not serve: the store answers, requests are limited by each instance', { node, reason }),
    onClose: (node) => log.write('info', 'Redis serves again', { node }),
  })
  const deadlines = tickDeadlines(clock, deadlineMs / deadlineTicks, deadlineTicks)
  const refusals = refusedWrites(clock, log)
  const { call, end } = caller(client, breakers, deadlines, `no answer within ${deadlineMs} ms`)

  return {
    ...commands(target, call, refusals),
    drop: (key) =>
      void call(key, (serving) =>
        serving.kind === 'cluster' ? askCluster(serving, 'unlink', key, []) : askServer(serving, 'unlink', [key]),
      ),
    connect: () => inTime(clock, client.open(), undefined),
    async health() {
      await inTime(clock, client.open(), undefined)
      const serving = client.ready()
      if (serving === null) return unwell(`Redis is away: ${client.lastError()}`)
      breakers.keepOnly(servingNodes(serving))
      const found = await examine(serving, clock, breakers.open())
      const refusal = refusals.lately()
      return found.status === 'pass' && refusal !== null ? unwell(`Redis refuses writes: ${refusal}`) : found
    },
    async close() {
      end()
      client.close()
      deadlines.end()
    },
  }
}

/** A server runs no longer than a millisecond or so for so many keys. */
const batchLimit = 128

type ScriptName = keyof RedisScripts
type ScriptCall = Readonly<{ key: string; args: readonly (string | number)[] }>

/** On one server, all that is asked for at once is one command; in a cluster the driver gathers commands for each node. */
function commands({ kind }: RedisTarget, call: Caller['call'], refusals: RefusedWrites): Pick<RedisConnection, 'get' | 'script'> {
  if (kind === 'cluster') {
    const one = async (name: string, key: string, args: ScriptCall['args']): Promise<unknown> =>
      call(key, (serving) => (serving.kind === 'cluster' ? askCluster(serving, name, key, args) : Promise.resolve(null)))
    return {
      get: (key) => one('get', key, []) as Promise<string | null | Away>,
      script: async (name, key, args) => answersOf(refusals, name, await one(name, key, args), 1)[0],
    }
  }
  const ask = (name: string, keys: readonly string[], args: ScriptCall['args']): Promise<unknown> =>
    call(keys[0] ?? '', (serving) => (serving.kind === 'standalone' ? askServer(serving, name, args) : Promise.resolve(null)))
  const getAll = async (keys: readonly string[]): Promise<readonly unknown[]> => {
    const answers = await ask('mget', keys, keys)
    return Array.isArray(answers) ? answers : keys.map(() => away)
  }
  const scriptOf = (name: ScriptName): ((asked: ScriptCall) => Promise<unknown>) =>
    gather(batchLimit, async (batch: readonly ScriptCall[]) => {
      const keys = batch.map(({ key }) => key)
      return answersOf(refusals, name, await ask(name, keys, [keys.length, ...keys, ...argsOf(name, batch)]), keys.length)
    })
  const scripts = { readWithTimeLeft: scriptOf('readWithTimeLeft'), keepNewer: scriptOf('keepNewer'), takeRate: scriptOf('takeRate') }
  return {
    get: gather(batchLimit, getAll) as RedisConnection['get'],
    script: (name, key, args) => scripts[name]({ key, args }),
  }
}

/** Limits are mostly the same for all, and then are sent once. */
function argsOf(name: ScriptName, batch: readonly ScriptCall[]): ScriptCall['args'] {
  const shared = batch[0]?.args ?? []
  const areShared = name === 'takeRate' && batch.every(({ args }) => args.every((each, index) => each === shared[index]))
  return areShared ? shared : batch.flatMap(({ args }) => args)
}

function answersOf(refusals: RefusedWrites, name: ScriptName, answers: unknown, count: number): readonly unknown[] {
  if (!Array.isArray(answers)) return new Array<Away>(count).fill(away)
  const [now, ...taken] = answers as readonly unknown[]
  const refusal = name === 'readWithTimeLeft' ? undefined : answers.find((each) => typeof each === 'string')
  if (refusal !== undefined) refusals.note(refusal as string)
  return name === 'takeRate' ? taken.map((each) => [now, each]) : answers
}

type Send<T> = (serving: RedisClient) => Promise<T>
type Caller = Readonly<{ call: <T>(key: string, send: Send<T>) => Promise<T | Away>; end: () => void }>

/** Calls that end by their deadline, and are not made while the node of the key is in trouble. */
function caller(client: LazyClient, breakers: Circuits, deadlines: TickDeadlines, lateness: string): Caller {
  let isExpected = true

  const judge = (serving: RedisClient, key: string, failure: string | null): void => {
    if (failure === null) {
      if (!breakers.areSound()) breakers.succeeded(nodeOf(serving, key))
    } else if (!isOwnFault(failure)) breakers.failed(nodeOf(serving, key), failure)
  }

  const sendTo = <T>(serving: RedisClient, key: string, send: Send<T>): Promise<T | Away> =>
    new Promise((resolve) => {
      let isPending = true
      const end = (answer: T | Away, failure: string | null): void => {
        if (!isPending) return
        isPending = false
        judge(serving, key, failure)
        resolve(answer)
      }
      deadlines.add(() => end(away, lateness))
      try {
        send(serving).then(
          (answer) => end(answer, null),
          (error: unknown) => end(away, reasonOf(error)),
        )
      } catch (error) {
        // In a cluster, the driver throws where nobody serves a slot.
        end(away, reasonOf(error))
      }
    })

  /** The first calls wait for the connection as long as for an answer; later ones go without until it is there. */
  const sendFirst = <T>(key: string, send: Send<T>): Promise<T | Away> =>
    new Promise((resolve) => {
      const giveUp = (): void => {
        isExpected = false
        resolve(away)
      }
      deadlines.add(giveUp)
      void client.open().then(() => {
        const serving = client.ready()
        if (serving === null) giveUp()
        else resolve(sendTo(serving, key, send))
      })
    })

  return {
    call(key, send) {
      const serving = client.ready()
      if (serving === null) return isExpected ? sendFirst(key, send) : Promise.resolve(away)
      if (!breakers.areSound() && !breakers.admits(nodeOf(serving, key))) return Promise.resolve(away)
      return sendTo(serving, key, send)
    },
    end() {
      isExpected = false
    },
  }
}

/** Whoever put something else under one of our keys is no fault of the server. */
function isOwnFault(reason: string): boolean {
  return reason.startsWith('WRONGTYPE')
}
