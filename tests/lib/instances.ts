import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { pause, send, tokenFor } from './payers.ts'
import { type Limits, type RunningService, startService } from './running-service.ts'

export type Name = 'a' | 'b'

/** Two instances of the service over one data directory and the same engines. */
export type Instances = Readonly<{
  dataDir: string
  token: string
  url: (name: Name) => string
  urls: () => readonly string[]
  kill: (name: Name) => Promise<void>
  stop: (name: Name) => Promise<number | null>
  /** Again, on the port that it had. */
  restart: (name: Name) => Promise<void>
  /** What both have logged as errors. */
  errors: () => readonly string[]
  close: () => Promise<void>
}>

export async function openInstances(env: Readonly<Record<string, string>>, limits: Limits = 'lifted'): Promise<Instances> {
  const dataDir = mkdtempSync(join(tmpdir(), 'cbp-several-'))
  // At once, as an orchestrator starts them.
  const [a, b] = await Promise.all([startService(dataDir, 0, env, limits), startService(dataDir, 0, env, limits)])
  const running: Record<Name, RunningService> = { a, b }
  const token = await tokenFor(dataDir)
  const url = (name: Name): string => running[name].url
  return {
    dataDir,
    token,
    url,
    urls: () => [url('a'), url('b')],
    kill: (name) => running[name].kill(),
    stop: (name) => running[name].stop(),
    restart: async (name) => {
      running[name] = await startService(dataDir, Number(new URL(url(name)).port), env, limits)
    },
    errors: () => logLines(dataDir).filter((line) => line.includes('"level":"error"')),
    close: async () => {
      await Promise.all([running.a.stop(), running.b.stop()])
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function logLines(dataDir: string): readonly string[] {
  const file = join(dataDir, 'service.log')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
}

type Check = Readonly<{ status: string; output: string }>

export async function healthOf(url: string, part: 'cache' | 'queue' | 'database'): Promise<Check> {
  const answer = await send('GET', `${url}/health/${part}`, null)
  if (answer === null) throw new Error(`${url} does not answer`)
  return (JSON.parse(answer.text) as { checks: Record<string, Check> }).checks[part] as Check
}

/** Waits until every instance says so. */
export async function untilHealth({ urls }: Instances, part: 'cache' | 'queue', status: string, withinMs: number): Promise<void> {
  for (const url of urls()) {
    await vi.waitFor(async () => expect(await healthOf(url, part)).toMatchObject({ status }), { timeout: withinMs, interval: 100 })
  }
}

/** Waits until no payment is under way and no event and no webhook is left to send. */
export async function untilQuiet(url: string, token: string, withinMs: number): Promise<void> {
  const isQuiet = async (): Promise<void> => {
    // A payment under way has news to come, of which no queue knows yet.
    for (const status of ['PROCESSING', 'UNKNOWN']) {
      const answer = await send('GET', `${url}/payments?status=${status}&limit=1`, token)
      expect(JSON.parse(answer?.text ?? 'null')).toEqual({ items: [], nextCursor: null })
    }
    expect(await healthOf(url, 'queue')).toEqual(expect.objectContaining({ status: 'pass', output: '0 events and 0 webhooks wait' }))
  }
  await vi.waitFor(isQuiet, { timeout: withinMs, interval: 200 })
  await pause(300)
  await vi.waitFor(isQuiet, { timeout: withinMs, interval: 200 })
}
