/** Real RabbitMQ nodes for tests, each with ports and a data folder of its own, so that nothing on the machine is disturbed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { basename, delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

export type RabbitNode = Readonly<{
  url: string
  port: number
  /** Ends the process as a power cut would. */
  kill(): Promise<void>
  /** Again on the same data; resolves once clients are served. */
  start(): Promise<void>
  /** Carries out a command of `rabbitmqctl`. */
  control(...args: readonly string[]): Promise<string>
}>

export type RabbitCluster = Readonly<{ nodes: readonly RabbitNode[]; stop(): Promise<void> }>

const readyDeadlineMs = 90_000

/** Where the scripts of the server are; Debian's commands on PATH drop the environment, so that those behind them are taken. */
function scripts(): string | null {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    const command = join(folder, 'rabbitmq-server')
    if (!existsSync(command)) continue
    const target = realpathSync(command)
    return dirname(target)
  }
  return null
}

/** Whether tests can start brokers here; where they must (`CI=true`), the absence of RabbitMQ is a failure. */
export function rabbitCanBeStarted(): boolean {
  if (scripts() !== null) return true
  if (process.env['CI'] === 'true') throw new Error('rabbitmq-server is not on PATH, and CI=true does not let its tests be left out')
  return false
}

/** Whether there is a broker for tests that do it no harm. */
export function rabbitIsHere(): boolean {
  return process.env['CBP_TEST_AMQP_URL'] !== undefined || rabbitCanBeStarted()
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Whatever there is to run tests over that need one broker and do it no harm. */
export type Rabbit = Readonly<{ url: string; stop(): Promise<void> }>

/** The broker of `CBP_TEST_AMQP_URL`, else one of our own. */
export async function openRabbit(): Promise<Rabbit> {
  const url = process.env['CBP_TEST_AMQP_URL']
  if (url !== undefined) return { url, stop: async () => {} }
  const { nodes, stop } = await startRabbit()
  return { url: (nodes[0] as RabbitNode).url, stop }
}

/**
 * Starts as many nodes as asked for, as one cluster.
 *
 * @param settings further lines of `rabbitmq.conf`
 */
export async function startRabbit(nodeCount = 1, settings: readonly string[] = []): Promise<RabbitCluster> {
  const bin = scripts()
  if (bin === null) throw new Error('rabbitmq-server is not on PATH')
  const folder = mkdtempSync('/tmp/cbp-rabbitmq-')
  const [epmdPort = 0, ...ports] = await freePorts(1 + 2 * nodeCount)
  const names = Array.from({ length: nodeCount }, (_, index) => `cbp${index + 1}@localhost`)
  writeFileSync(join(folder, '.erlang.cookie'), `CBP${process.pid}${epmdPort}`, { mode: 0o400 })
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n')
  const peers = names.map((name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}`)
  const lines = [
    'cluster_formation.peer_discovery_backend = classic_config',
    ...peers,
    'log.console = false',
    'disk_free_limit.absolute = 1MB',
    ...settings,
  ]
  writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`)
  // In the foreground: one that the nodes start themselves outlives them.
  const epmd = spawn('epmd', ['-port', String(epmdPort)], { stdio: 'ignore' })
  const nodes = names.map((name, index) => {
    const [port = 0, distributionPort = 0] = ports.slice(2 * index, 2 * index + 2)
    return rabbitNode({ bin, folder, epmdPort, name, port, distributionPort })
  })
  const endAtOnce = (): void => {
    for (const node of nodes) void node.kill()
    epmd.kill()
  }
  process.on('exit', endAtOnce)
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()))
    epmd.kill()
    process.off('exit', endAtOnce)
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  try {
    await Promise.all(nodes.map((node) => node.start()))
    if (nodeCount > 1) await untilJoined(nodes)
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, stop }
}

async function untilJoined(nodes: readonly RabbitNode[]): Promise<void> {
  const [first] = nodes
  const givesUpAt = Date.now() + readyDeadlineMs
  for (;;) {
    const names = await first?.control('eval', 'length(rabbit_nodes:all_running()).')
    if (Number(names) === nodes.length) return
    if (Date.now() > givesUpAt) throw new Error(`only ${names} of ${nodes.length} nodes have joined`)
    await pause(200)
  }
}

type NodeSettings = Readonly<{ bin: string; folder: string; epmdPort: number; name: string; port: number; distributionPort: number }>

function rabbitNode({ bin, folder, epmdPort, name, port, distributionPort }: NodeSettings): RabbitNode {
  const data = join(folder, basename(name))
  const env: NodeJS.ProcessEnv = {
    PATH: `${process.env['PATH']}${delimiter}/usr/sbin`,
    LANG: 'C.UTF-8',
    HOME: folder,
    ERL_EPMD_PORT: String(epmdPort),
    RABBITMQ_NODENAME: name,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: data,
    RABBITMQ_LOG_BASE: data,
    RABBITMQ_GENERATED_CONFIG_DIR: join(data, 'config'),
    RABBITMQ_PID_FILE: join(data, 'pid'),
    // Two schedulers: more would only take turns on a small machine.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 2:2 +SDcpu 1 +SDio 2 +sbwt none',
    RABBITMQ_CTL_ERL_ARGS: '+S 1:1 +sbwt none',
  }
  let server: ChildProcess | null = null

  const isOver = (): boolean => server === null || server.exitCode !== null || server.signalCode !== null

  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    port,
    async start() {
      // In a process group of its own, so that its helpers end with it.
      server = spawn(join(bin, 'rabbitmq-server'), [], { env, detached: true, stdio: 'ignore' })
      const givesUpAt = Date.now() + readyDeadlineMs
      while (!(await serves(port))) {
        if (isOver() || Date.now() > givesUpAt) throw new Error(`${name} does not start:\n${logOf(data, name)}`)
        await pause(100)
      }
    },
    async kill() {
      const child = server
      if (child?.pid === undefined || isOver()) return
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      process.kill(-child.pid, 'SIGKILL')
      await ended
    },
    async control(...args) {
      const { stdout } = await promisify(execFile)(join(bin, 'rabbitmqctl'), ['--quiet', '--node', name, ...args], { env })
      return stdout.trim()
    },
  }
}

function logOf(data: string, name: string): string {
  const file = join(data, `${name}.log`)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-30).join('\n') : 'it has written no log'
}

/** Whether a client gets an answer to the protocol's greeting, which a listener that is not ready yet does not give. */
function serves(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('AMQP\0\0\x09\x01'))
    const answer = (served: boolean): void => {
      socket.destroy()
      resolve(served)
    }
    socket.setTimeout(1000, () => answer(false))
    socket.once('error', () => answer(false))
    socket.once('close', () => answer(false))
    socket.once('data', () => answer(true))
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
