import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { tokenFor } from './token.ts'
import { repository } from './workspace.ts'

/** A server in a process of its own. */
export type Child = AsyncDisposable &
  Readonly<{ pid: number; port: number; url: string; memory: () => Promise<Memory>; cpuMs: () => number; stop: () => Promise<void> }>

/** Bytes after a full collection; `rss` as the kernel sees it. */
export type Memory = Readonly<{ heapUsed: number; external: number; rss: number }>

export type ChildOptions = Readonly<{
  environment?: Readonly<Record<string, string>>
  /** Where stderr goes: a file, as a service's log would. */
  log: string
  /** Makes `memory` answer, at the price of a channel to the child. */
  probed?: boolean
}>

const hostFile = join(repository, 'packages/http/src/main.ts')
const probeFile = join(import.meta.dirname, '../memory-probe.ts')

/** The service itself, as `npm start` runs it, over a data directory. It counts requests as ever, and refuses none. */
export async function startHost(dataDir: string, options: Partial<ChildOptions> = {}): Promise<Child> {
  const environment = { CBP_PORT: '0', CBP_DATA_DIR: dataDir, ...options.environment }
  const child = await startChild([hostFile], { log: join(dataDir, 'stderr.txt'), ...options, environment })
  const authorization = `Bearer ${await tokenFor(dataDir)}`
  for (const key of ['rate-limit.per-ip', 'rate-limit.per-client']) {
    await fetch(`${child.url}/config/security/${key}`, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/json', 'if-none-match': '*' },
      body: JSON.stringify({ value: { limit: 1_000_000_000, windowSeconds: 900 }, reason: 'bench' }),
    })
  }
  await pause(1_000)
  return child
}

/** Starts a program that says `listening on <url>`. `BENCH_PROFILE=<dir>` leaves a CPU profile of it there. */
export async function startChild(args: readonly string[], { environment = {}, log, probed = false }: ChildOptions): Promise<Child> {
  const profileDir = process.env['BENCH_PROFILE']
  const profiling = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const probing = probed ? ['--expose-gc', '--import', probeFile] : []
  const stderr = openSync(log, 'a', 0o600)
  const child = spawn(process.execPath, ['--conditions=@cbp/source', ...profiling, ...probing, ...args], {
    stdio: probed ? ['ignore', 'pipe', stderr, 'ipc'] : ['ignore', 'pipe', stderr],
    env: { ...process.env, ...environment },
  })
  closeSync(stderr)
  const url = await readyUrl(child, log)
  const stop = (): Promise<void> => stopChild(child)
  return {
    pid: child.pid ?? 0,
    port: Number(new URL(url).port),
    url,
    memory: () => askMemory(child),
    cpuMs: () => cpuMsOf(child.pid ?? 0),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function readyUrl(child: ChildProcess, log: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
      const ready = /listening on (http:\/\/\S+)/.exec(output)
      if (ready?.[1] !== undefined) resolve(ready[1])
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`a server ended with ${code} before it was ready: ${readFileSync(log, 'utf8')}`)))
  })
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const cut = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(cut)
}

/** Processor time spent so far, in user and kernel: what others do on the machine hardly changes it. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  const msPerTick = 10
  return (Number(fields[11]) + Number(fields[12])) * msPerTick
}

function askMemory(child: ChildProcess): Promise<Memory> {
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as Memory))
    child.send('memory', (error) => {
      if (error !== null) reject(error)
    })
  })
}
