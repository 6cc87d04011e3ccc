import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { root } from '../scripts/lib/run-tool.ts'
import { pause, send, tokenFor } from './lib/payers.ts'
import { type RunningService, startService } from './lib/running-service.ts'

type Message = Readonly<{ subscriber: string; id: string; isSigned: boolean }>

type Receiver = Readonly<{ received: readonly Message[]; url: string; close: () => Promise<void> }>

/** Takes messages, and checks each against the secrets that its subscriber was ever told. */
async function openReceiver(secrets: ReadonlyMap<string, readonly string[]>): Promise<Receiver> {
  const received: Message[] = []
  const take = async (request: IncomingMessage): Promise<void> => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) => String(request.headers[`webhook-${name}`])) as [
      string,
      string,
      string,
    ]
    const subscriber = request.url?.slice(1) ?? ''
    const expected = (secrets.get(subscriber) ?? []).map((secret) => signatureOf(secret, `${id}.${timestamp}.${body}`))
    received.push({ subscriber, id, isSigned: signature.split(' ').some((each) => expected.includes(each)) })
  }
  const server = createServer((request, response) => void take(request).then(() => response.writeHead(204).end()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

function signatureOf(secret: string, message: string): string {
  return `v1,${createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
    .update(message)
    .digest('base64')}`
}

/** The command line as a process of its own, as an operator starts it beside the service. */
function cbp(dataDir: string, ...args: readonly string[]): Promise<Readonly<{ code: number | null; stdout: string; stderr: string }>> {
  const child = spawn(process.execPath, ['--conditions=@cbp/source', join(root, 'packages/cli/src/main.ts'), ...args], {
    env: { ...process.env, CBP_DATA_DIR: dataDir },
  })
  const [stdout, stderr]: [string[], string[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString('utf8')))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout: stdout.join(''), stderr: stderr.join('') })))
}

const subscribers = ['1', '2', '3', '4', 'disabled']

describe('rotating the key ring under a service at work', { timeout: 120_000 }, () => {
  const secrets = new Map<string, string[]>()
  const ids = new Map<string, string>()
  let dataDir: string
  let service: RunningService
  let token: string
  let receiver: Receiver

  const call = async (method: 'POST', path: string, body: unknown): Promise<Record<string, string>> => {
    const answer = await send(method, `${service.url}/webhooks/subscriptions${path}`, token, {}, body)
    if (answer === null || answer.status >= 300) throw new Error(`${method} ${path}: ${answer?.status} ${answer?.text}`)
    return JSON.parse(answer.text) as Record<string, string>
  }
  const subscribe = async (name: string): Promise<void> => {
    const { id = '', secret = '' } = await call('POST', '', { url: `${receiver.url}/${name}`, types: ['PAYMENT_CREATED'] })
    ids.set(name, id)
    secrets.set(name, [secret])
  }

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'cbp-rotation-'))
    receiver = await openReceiver(secrets)
    service = await startService(dataDir)
    token = await tokenFor(dataDir)
    for (const name of subscribers) await subscribe(name)
    const path = `${service.url}/webhooks/subscriptions/${ids.get('disabled')}`
    const shown = await send('GET', path, token)
    expect((await send('PATCH', path, token, { 'if-match': shown?.etag ?? '' }, { active: false }))?.status).toBe(200)
  }, 60_000)
  afterAll(async () => {
    await service?.stop()
    await receiver?.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  /** Sends messages, makes subscriptions and rotates their secrets until it is told to stop; answers how many messages. */
  function startWork(name: string): () => Promise<number> {
    let isOver = false
    let sent = 0
    const work = async (): Promise<void> => {
      for (let round = 0; !isOver; round += 1) {
        const made = `${name}-${round}`
        if (round % 10 === 0) await subscribe(made)
        for (const each of [...subscribers.slice(0, 4), ...(ids.has(made) ? [made] : [])]) {
          await call('POST', `/${ids.get(each)}/test`, undefined)
          sent += 1
        }
        if (round % 5 === 0) {
          const { secret = '' } = await call('POST', `/${ids.get('1')}/rotate-secret`, undefined)
          secrets.get('1')?.push(secret)
        }
        await pause(20)
      }
    }
    const working = work()
    working.catch(() => {})
    return async () => {
      isOver = true
      await working
      return sent
    }
  }

  it('fails to open nothing, and leaves nothing to the old key', async () => {
    const finish = startWork('rotated')
    const rotated = await cbp(dataDir, 'keyring', 'rotate', '--settle', '3s', '--json')
    expect(rotated).toMatchObject({ code: 0 })
    const again = await cbp(dataDir, 'keyring', 'rotate', '--settle', '3s', '--retire', '--yes', '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ unopened: [], keys: [expect.any(String)] })
    await pause(2500)
    const sent = await finish()
    await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThanOrEqual(sent), { timeout: 30_000, interval: 100 })
    const { resealed } = JSON.parse(rotated.stdout) as { resealed: number }
    process.stdout.write(`  rotated twice under load: ${sent} messages, ${resealed} secrets sealed again at first\n`)
    expect(receiver.received.filter(({ isSigned }) => !isSigned)).toEqual([])
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(sent)
    const log = join(dataDir, 'service.log')
    expect(existsSync(log) ? readFileSync(log, 'utf8') : '').not.toMatch(/cannot be read|cannot be opened|cannot-unseal/)
    const status = JSON.parse((await cbp(dataDir, 'keyring', 'status', '--json')).stdout) as { keys: { state: string }[] }
    expect(status.keys.map(({ state }) => state)).toEqual(['current'])
    expect((await cbp(dataDir, 'audit', 'verify')).code).toBe(0)
  })
})
