import { Readable, Writable } from 'node:stream'
import { type Caller, type Clock, type Core, createCore, type Ports } from '@cbp/core'
import { fakePorts } from '@cbp/core/testing'
import type { OpenedKeyRing } from '@cbp/http/assembly'
import { ok } from 'neverthrow'
import type { CliIo, InStream, OutStream } from '../src/cli-io.ts'
import type { Host } from '../src/host.ts'
import { runCli } from '../src/run-cli.ts'

/** How a command ended and what it said. */
export type Ended = Readonly<{ code: number; stdout: string; stderr: string; json: () => never; problem: () => never }>

export type RunOptions = Readonly<{
  stdin?: string
  /** Somebody is at a terminal: questions are asked, tables are ruled. */
  tty?: boolean
  env?: Readonly<Record<string, string | undefined>>
  cancel?: AbortSignal
  cwd?: string
  onOutput?: (text: string) => void
}>

/** Runs the program in this process. */
export async function run(host: Host, argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const stdout = collector(options)
  const stderr = collector(options)
  const stdin = Readable.from(options.stdin === undefined ? [] : [options.stdin]) as InStream & { isTTY?: boolean }
  stdin.isTTY = options.tty === true
  const io: CliIo = {
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    user: 'tester',
    cancel: options.cancel ?? new AbortController().signal,
  }
  const code = await runCli(argv, io, host)
  return {
    code,
    stdout: stdout.text(),
    stderr: stderr.text(),
    json: () => JSON.parse(stdout.text()) as never,
    problem: () => JSON.parse(stderr.text()) as never,
  }
}

function collector({ tty, onOutput }: RunOptions): Readonly<{ stream: OutStream; text: () => string }> {
  let text = ''
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      text += String(chunk)
      onOutput?.(text)
      done()
    },
  }) as Writable & { isTTY?: boolean; columns?: number }
  stream.isTTY = tty === true
  stream.columns = 100
  return { stream, text: () => text }
}

/** The wall clock, for what really waits. */
export const wallClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, cancel) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      const end = (): void => {
        clearTimeout(timer)
        resolve()
      }
      if (cancel?.aborted === true) end()
      cancel?.addEventListener('abort', end, { once: true })
    }),
}

const testCaller: Caller = { client: 'cli:tester', requestId: '01890000-0000-7000-8000-000000000000', traceparent: null }

/** A host over a store in memory, which all of its commands share. */
export function memoryHost(overrides: Partial<Ports> = {}, adapt: (core: Core) => Core = (core) => core): Host & Readonly<{ core: Core }> {
  const ports = { ...fakePorts({ clock: wallClock }), ...overrides }
  const core = adapt(createCore(ports))
  const keyRing = {
    keyIds: ['key-1'],
    keyIdOf: firstPart,
    file: null,
    refresh: () => ok(),
    close: () => {},
    ...ports.keyRing,
  } satisfies OpenedKeyRing
  return {
    core,
    openCore: async () => ok({ core, caller: testCaller, keyRing, [Symbol.asyncDispose]: async () => {} }),
    identify: () => Promise.reject(new Error('a token was shown')),
    waiting: async () => ({ clock: wallClock, random: { fraction: () => 0 } }),
    simulation: () => Promise.reject(new Error('nothing is simulated here')),
  }
}

/** Where fakes name the key. */
function firstPart(sealed: string): string | null {
  return sealed.split('.')[0] ?? null
}

/** A host that nothing may be asked of. */
export const noHost: Host = {
  openCore: () => Promise.reject(new Error('the store was opened')),
  identify: () => Promise.reject(new Error('a token was shown')),
  waiting: () => Promise.reject(new Error('something waited')),
  simulation: () => Promise.reject(new Error('something was simulated')),
}

/** Settings that staging accepts; nothing of them exists. */
export const stagingSettings: Readonly<Record<string, string>> = {
  CBP_ENV: 'staging',
  CBP_JWT_ISSUER: 'x',
  CBP_JWT_JWKS_URL: 'https://x.example/keys',
  CBP_KEYRING: '/nowhere/keyring.json',
  CBP_WEBHOOK_SECRETS: `whsec_${'A'.repeat(43)}=`,
  CBP_PAYMENT_SERVICE_URL: 'https://payments.example',
  CBP_USER_SERVICE_URL: 'https://users.example',
}
