import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadDevelopmentKey, mintToken } from '@cbp/http'
import { defaultAudience, developmentIssuer } from '@cbp/http/assembly'
import { root } from '../../scripts/lib/run-tool.ts'

export type RunningService = Readonly<{
  url: string
  /** As a power cut would for this process. */
  kill: () => Promise<void>
  /** In order; answers the exit code. */
  stop: () => Promise<number | null>
}>

/** Most tests ask more than any caller may. */
export type Limits = 'lifted' | 'as-shipped'

/** The service itself, as `npm start` runs it, over a data directory; `env` names the engines that it is to use. */
export async function startService(
  dataDir: string,
  port = 0,
  env: Readonly<Record<string, string>> = {},
  limits: Limits = 'lifted',
): Promise<RunningService> {
  const child = spawn(process.execPath, ['--conditions=@cbp/source', join(root, 'packages/http/src/main.ts')], {
    env: { ...process.env, ...env, CBP_DATA_DIR: dataDir, CBP_PORT: String(port), CBP_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let lastWords = ''
  child.stderr.on('data', (chunk: Buffer) => {
    lastWords = chunk.toString('utf8')
    appendFileSync(join(dataDir, 'service.log'), chunk)
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const url = await readyUrl(child, () => lastWords)
  // Over TLS only those call who know the authority, and they call seldom.
  if (limits === 'lifted' && url.startsWith('http:')) await liftLimits(url, dataDir)
  return {
    url,
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** These tests ask more than any caller may in a quarter of an hour. */
async function liftLimits(url: string, dataDir: string): Promise<void> {
  const request = { subject: 'tests', scope: 'config:write', expiresInSeconds: 60, issuer: developmentIssuer, audience: defaultAudience }
  const { token } = await mintToken(await loadDevelopmentKey(dataDir), request)
  for (const key of ['rate-limit.per-ip', 'rate-limit.per-client']) {
    // Where they were lifted before, the condition refuses it.
    await fetch(`${url}/config/security/${key}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'if-none-match': '*' },
      body: JSON.stringify({ value: { limit: 1_000_000, windowSeconds: 900 }, reason: 'tests' }),
    })
  }
}

function readyUrl(child: ChildProcess, lastWords: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
      const ready = /listening on (https?:\/\/\S+)/.exec(output)
      if (ready?.[1] !== undefined) resolve(ready[1])
    })
    child.once('close', (code) => reject(new Error(`the service ended with ${code} before it was ready: ${lastWords()}`)))
  })
}
