import { type Clock, cancelSource } from '@cbp/core'
import { reasonOf } from './ask.ts'
import type { RedisClient } from './driver.ts'

export type RedisHealth = Readonly<{ status: 'pass' | 'warn'; output: string }>

/** The name of the only node, where there is no cluster. */
const onlyNode = 'server'
const slotsOfCluster = 16_384
const patienceMs = 1_000

/** The node that serves a key. */
export function nodeOf(client: RedisClient, key: string): string {
  return client.kind === 'standalone' ? onlyNode : (client.redis.slots[client.slotOf(key)]?.[0] ?? 'no node')
}

/** Every node that serves slots. */
export function servingNodes(client: RedisClient): ReadonlySet<string> {
  return client.kind === 'standalone' ? new Set([onlyNode]) : new Set(client.redis.slots.flatMap((nodes) => nodes[0] ?? []))
}

/** Asks every node; `troubled` are those that calls go without, and why. */
export async function examine(client: RedisClient, clock: Clock, troubled: ReadonlyMap<string, string>): Promise<RedisHealth> {
  const pinging = pingOf(client)
  const nodes = [...servingNodes(client)]
  const asked = nodes.map(async (node): Promise<string | null> => {
    const answer = await inTime(clock, pinging(node), `no answer within ${patienceMs} ms`)
    if (answer !== 'PONG') return `${node}: ${answer}`
    const fault = troubled.get(node)
    return fault === undefined ? null : `${node}: answers, but calls failed lately: ${fault}`
  })
  const silent = (await Promise.all(asked)).filter((fault) => fault !== null)
  const unserved = unservedSlots(client)
  if (silent.length === 0 && unserved === 0) {
    return { status: 'pass', output: nodes.length === 1 ? 'Redis answers' : `all ${nodes.length} nodes of Redis answer` }
  }
  const slots = unserved === 0 ? [] : [`${unserved} slots have no node`]
  return unwell([`${silent.length} of ${nodes.length} nodes do not serve`, ...silent, ...slots].join('; '))
}

export function unwell(what: string): RedisHealth {
  return { status: 'warn', output: `${what}. Settings are read from the store, and every instance limits requests by itself` }
}

/** The answer, or `otherwise` after a second. */
export async function inTime<T>(clock: Clock, answer: Promise<T>, otherwise: T): Promise<T> {
  const timer = cancelSource()
  const answered = await Promise.race([answer, clock.sleep(patienceMs, timer.signal).then(() => otherwise)])
  timer.cancel()
  return answered
}

function pingOf(client: RedisClient): (node: string) => Promise<string> {
  if (client.kind === 'standalone') return () => client.redis.ping().catch(reasonOf)
  const connected = new Map(client.redis.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]))
  return async (node) => connected.get(node)?.ping().catch(reasonOf) ?? 'not connected'
}

function unservedSlots(client: RedisClient): number {
  if (client.kind === 'standalone') return 0
  return slotsOfCluster - client.redis.slots.reduce((served, nodes) => served + (nodes[0] === undefined ? 0 : 1), 0)
}
