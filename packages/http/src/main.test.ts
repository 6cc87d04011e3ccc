import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openStream } from '../tests/event-stream.ts'
import { loadDevelopmentKey, mintToken } from './access/development-key.ts'
import { defaultAudience, developmentIssuer } from './assembly/index.ts'

type Started = Readonly<{ child: ChildProcess; dataDir: string; stderr: Promise<string>; exit: Promise<number | null> }>

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Started> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cbp-http-'))
  const { CBP_ENV: _env, ...inherited } = process.env
  const child = spawn(process.execPath, ['--conditions=@cbp/source', fileURLToPath(new URL('main.ts', import.meta.url))], {
    cwd: dataDir,
    env: { ...inherited, CBP_PORT: '0', CBP_DATA_DIR: dataDir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exit
    await rm(dataDir, { recursive: true, force: true })
  })
  return { child, dataDir, stderr: text(child.stderr as NonNullable<typeof child.stderr>), exit }
}

/** Everything that the service says first, up to the address of its documentation. */
async function announced({ child }: Started): Promise<string> {
  let output = ''
  for await (const chunk of child.stdout?.setEncoding('utf8').iterator({ destroyOnReturn: false }) ?? []) {
    output += chunk
    if (output.includes('/docs\n')) break
  }
  return output
}

const timeoutMs = 30_000
const mine = {
  subject: 'me',
  scope: 'config:read config:write',
  expiresInSeconds: 60,
  issuer: developmentIssuer,
  audience: defaultAudience,
}

describe('the service as a process', () => {
  it(
    'says where it listens and what to try, and ends in order although one Ctrl-C arrives three times',
    async () => {
      const service = await start()
      const output = await announced(service)
      const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)$/m.exec(output)?.[1] ?? ''
      expect(output.startsWith(`listening on ${url}\n`)).toBe(true)
      expect(output).toContain('npm run -s cbp -- token mint --sub me --scope "config:read config:write"')
      expect(output).toMatch(new RegExp(`^  CBP_DATA_DIR=\\S+ npm run -s cbp -- demo --url ${url}$`, 'm'))
      const { token } = await mintToken(await loadDevelopmentKey(service.dataDir), mine)
      const curl = /curl -sS -X PUT (\S+) .* -d '([^']+)'/.exec(output)
      const put = await fetch(curl?.[1] ?? '', {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'if-none-match': '*', 'content-type': 'application/json' },
        body: curl?.[2] ?? '',
      })
      expect(put.status).toBe(201)
      const stream = await openStream(`${url}/config/watch?since=0`, { authorization: `Bearer ${token}` })
      expect((await stream.nextOf('change'))?.data.revision).toBe(1)
      for (let times = 0; times < 3; times += 1) service.child.kill('SIGINT')
      expect((await stream.nextOf('bye'))?.data).toEqual({ reason: 'shutdown' })
      expect(await service.exit).toBe(0)
      const lines = (await service.stderr).trim().split('\n')
      expect(lines.map((line) => JSON.parse(line))).toContainEqual(
        expect.objectContaining({ level: 'info', method: 'PUT', status: 201, client: `${developmentIssuer}|me` }),
      )
    },
    timeoutMs,
  )

  it(
    'ends within seconds although an endpoint hangs, and makes the same attempt again after the next start',
    async () => {
      const ids: unknown[] = []
      const hanging = createHttpServer(({ headers }) => void ids.push(headers['webhook-id'])).listen(0, '127.0.0.1')
      await once(hanging, 'listening')
      onTestFinished(() => {
        hanging.closeAllConnections()
        hanging.close()
      })
      const service = await start()
      const url = /^listening on (\S+)$/m.exec(await announced(service))?.[1] ?? ''
      const { token } = await mintToken(await loadDevelopmentKey(service.dataDir), { ...mine, scope: 'webhooks:read webhooks:write' })
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const hook = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/`
      const body = JSON.stringify({ url: hook, types: ['PAYMENT_CREATED'] })
      const made = await fetch(`${url}/webhooks/subscriptions`, { method: 'POST', headers, body })
      const { id } = (await made.json()) as { id: string }
      await fetch(`${url}/webhooks/subscriptions/${id}/test`, { method: 'POST', headers })
      await vi.waitUntil(() => ids.length === 1, { timeout: timeoutMs / 4 })
      const toldAt = performance.now()
      service.child.kill('SIGTERM')
      expect(await service.exit).toBe(0)
      expect(performance.now() - toldAt).toBeLessThan(6_000)
      const next = await start({ CBP_DATA_DIR: service.dataDir })
      const nextUrl = /^listening on (\S+)$/m.exec(await announced(next))?.[1] ?? ''
      await vi.waitUntil(() => ids.length === 2, { timeout: timeoutMs / 4 })
      const deliveries = await fetch(`${nextUrl}/webhooks/deliveries`, { headers })
      expect(await deliveries.json()).toMatchObject({ items: [{ id: ids[0], status: 'pending', attempts: [] }] })
      expect(ids[1]).toBe(ids[0])
    },
    timeoutMs,
  )

  it(
    'tells which port is taken, and exits with 1',
    async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => void server.close())
      const { port } = server.address() as AddressInfo
      const service = await start({ CBP_PORT: String(port) })
      expect([await service.exit, await service.stderr]).toEqual([1, expect.stringContaining(`Port ${port} of 127.0.0.1 is taken`)])
    },
    timeoutMs,
  )

  it(
    'lists every fault of its settings, and exits with 2',
    async () => {
      const service = await start({ CBP_PORT: 'x', CBP_LOG_LEVEL: 'loud' })
      const stderr = await service.stderr
      expect([await service.exit, stderr.includes('CBP_PORT'), stderr.includes('CBP_LOG_LEVEL')]).toEqual([2, true, true])
    },
    timeoutMs,
  )

  it.each(['/proc/x', '/dev/null'])(
    'tells which data directory cannot be written, as %s, and exits with 1',
    async (dataDir) => {
      const service = await start({ CBP_DATA_DIR: dataDir })
      const told = expect.stringContaining(`The data directory ${dataDir} cannot be written; set CBP_DATA_DIR`)
      expect([await service.exit, await service.stderr]).toEqual([1, told])
    },
    timeoutMs,
  )

  it(
    'tells why the store does not open, and exits with 1',
    async () => {
      const service = await start({ CBP_SQL_URL: 'sqlite:/dev/null/no.sqlite' })
      expect([await service.exit, await service.stderr]).toEqual([1, expect.stringContaining('/dev/null/no.sqlite')])
    },
    timeoutMs,
  )
})
