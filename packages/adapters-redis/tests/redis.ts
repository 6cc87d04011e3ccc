/** Real Redis servers for the tests: started on free ports with folders of their own, and stopped again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Clock, Random } from '@cbp/core'
import { Redis } from 'ioredis'

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, cancel) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      const end = (): void => {
        clearTimeout(timer)
        resolve()
      }
      cancel?.addEventListener('abort', end, { once: true })
    }),
}

export const realRandom: Random = { fraction: () => Math.random() }

export function pause(ms: number): Promise<void> {
  return realClock.sleep(ms)
}

/** Waits until something holds; a test that waits in vain fails by its own time-out. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await pause(20)
}

/** Whether a server can be started here. Where everything has to be tested, a missing one is a failure, never a skip. */
export function hasRedisServer(): boolean {
  const isThere = (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'redis-server'), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (!isThere && process.env['CI'] === 'true') throw new Error('redis-server is missing: apt-get install redis-server')
  return isThere
}

export type RedisServer = Readonly<{
  port: number
  /** For the tests' own commands. */
  admin: Redis
  kill: () => Promise<void>
  restart: () => Promise<void>
  stop: () => Promise<void>
}>

export async function startRedis(...options: readonly string[]): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'cbp-redis-'))
  const port = await freePort()
  const given = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, '--enable-debug-command', 'local', ...options]
  const listening = options.includes('--tls-port') ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)]
  let child: ChildProcess | null = null
  const start = async (): Promise<void> => {
    await until(async () => {
      // Ended at once: something has its port for a moment.
      if (child === null || child.exitCode !== null) {
        child = spawn('redis-server', [...given.filter((option) => option !== '--tls-port'), ...listening], { stdio: 'ignore' })
      }
      return canConnect(port)
    })
  }
  const kill = async (): Promise<void> => {
    const running = child
    child = null
    if (running === null || running.exitCode !== null) return
    const exited = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await exited
  }
  await start()
  const admin = new Redis({ host: '127.0.0.1', port, lazyConnect: true, maxRetriesPerRequest: 1, retryStrategy: () => 50 })
  admin.on('error', () => {})
  const stop = async (): Promise<void> => {
    admin.disconnect()
    await kill()
    await rm(folder, { recursive: true, force: true })
  }
  return { port, admin, kill, restart: start, stop }
}

export type RedisCluster = Readonly<{
  nodes: readonly RedisServer[]
  url: string
  /** Hands a slot and its keys over to another node, while everybody goes on. */
  moveSlot: (slot: number, to: RedisServer) => Promise<void>
  isWell: () => Promise<boolean>
  stop: () => Promise<void>
}>

/** Three masters without replicas: what one of them knew is gone when it is killed. */
export async function startCluster(): Promise<RedisCluster> {
  const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '500', '--cluster-require-full-coverage', 'no']
  const started = Array.from({ length: 3 }, async () => {
    const bus = await freePort()
    return { bus, node: await startRedis(...options, '--cluster-port', String(bus)) }
  })
  const members = await Promise.all(started)
  const nodes = members.map(({ node }) => node)
  const share = Math.ceil(16_384 / 3)
  for (const [index, { node }] of members.entries()) {
    await node.admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
    await node.admin.call('CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min(16_383, (index + 1) * share - 1))
  }
  for (const { node, bus } of members) await nodes[0]?.admin.call('CLUSTER', 'MEET', '127.0.0.1', node.port, bus)
  const isWell = async (): Promise<boolean> => (await Promise.all(nodes.map(seesAll))).every(Boolean)
  await until(isWell)
  return {
    nodes,
    url: nodes.map(({ port }) => `redis://127.0.0.1:${port}`).join(','),
    moveSlot: (slot, to) => moveSlot(nodes, slot, to),
    isWell,
    stop: async () => {
      await Promise.all(nodes.map(({ stop }) => stop()))
    },
  }
}

async function seesAll({ admin }: RedisServer): Promise<boolean> {
  const info = String(await admin.call('CLUSTER', 'INFO').catch(() => ''))
  return ['cluster_state:ok', 'cluster_known_nodes:3', 'cluster_slots_ok:16384'].every((line) => info.includes(line))
}

async function moveSlot(nodes: readonly RedisServer[], slot: number, to: RedisServer): Promise<void> {
  const id = async ({ admin }: RedisServer): Promise<string> => String(await admin.call('CLUSTER', 'MYID'))
  const from = await ownerOf(nodes, slot)
  if (from === to) return
  const [fromId, toId] = await Promise.all([id(from), id(to)])
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
  await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
  for (;;) {
    const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[]
    if (keys.length === 0) break
    await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys)
    // Long enough for requests to meet the half-moved slot.
    await pause(1)
  }
  for (const node of [to, from, ...nodes]) await node.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
}

async function ownerOf(nodes: readonly RedisServer[], slot: number): Promise<RedisServer> {
  for (const node of nodes) {
    const lines = String(await node.admin.call('CLUSTER', 'NODES')).split('\n')
    const own =
      lines
        .find((line) => line.includes('myself'))
        ?.split(' ')
        .slice(8) ?? []
    const serves = own.some((range) => {
      const [first, last = first] = range.split('-').map(Number)
      return first !== undefined && last !== undefined && first <= slot && slot <= last
    })
    if (serves) return node
  }
  throw new Error(`nobody serves slot ${slot}`)
}

const firstPort = 20_000
const lastPort = 32_000

/** Below those that the system gives to outgoing connections, which would take the place of a server while it is down. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort))
    if (await canListen(port)) return port
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
