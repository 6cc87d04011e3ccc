import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fakeIds } from '@cbp/core/testing'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSandbox, temporaryPath, webhookSecret } from '../../../../tests/payment-service.ts'
import { systemClock } from '../../../assembly/platform/index.ts'
import { webhookTransport } from '../../webhooks/webhook-transport.ts'

const program = fileURLToPath(new URL('../../../../tests/children/payment-sandbox.ts', import.meta.url))

function start(...args: readonly string[]): Readonly<{ child: ChildProcess; firstLine: Promise<string> }> {
  const child = spawn(process.execPath, ['--conditions=@cbp/source', program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, firstLine: once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line)) }
}

type Message = Readonly<{ headers: IncomingHttpHeaders; body: string }>

/** Keeps the messages that it is sent; `handle` answers them. */
async function callbacksAt(handle: (response: ServerResponse, count: number) => void): Promise<{ url: string; messages: Message[] }> {
  const messages: Message[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      messages.push({ headers: request.headers, body })
      handle(response, messages.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/payment-status`, messages }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(20)
}

/** Sends callbacks in this process until the test is over. */
async function serveHere(path: string, url: string): Promise<void> {
  const transport = webhookTransport({ allowDevelopmentTargets: true })
  const sandbox = await openSandbox({ path, clock: systemClock, post: transport.post, callbackUrl: () => url })
  const over = new AbortController()
  const running = sandbox.run(over.signal)
  onTestFinished(async () => {
    over.abort()
    await running
    await transport.close()
  })
}

describe('the sandbox in several processes', () => {
  it('carries out each attempt once, however many instruct it', async () => {
    const path = await temporaryPath()
    const ids = fakeIds()
    const attempts = Array.from({ length: 50 }, () => ids.next())
    const children = [1, 2].map(() => start(path, '', 'completes-at-once', ...attempts, ...attempts))
    expect(await Promise.all(children.map(({ firstLine }) => firstLine))).toEqual(['instructed', 'instructed'])
    const sandbox = await openSandbox({ path, clock: systemClock })
    for (const id of attempts) expect((await sandbox.held(id))._unsafeUnwrap()).toMatchObject({ executions: 1, amount: 1250 })
  }, 30_000)

  it('sends a callback again, with the same id, after it was killed while sending it', async () => {
    const path = await temporaryPath()
    const { url, messages } = await callbacksAt((response, count) => {
      // The first is never answered.
      if (count > 1) response.writeHead(200).end()
    })
    const attempt = fakeIds().next()
    const { child, firstLine } = start(path, url, 'completes-at-once', attempt)
    expect(await firstLine).toBe('instructed')
    await until(() => messages.length === 1)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await serveHere(path, url)
    // Its lease has to end first.
    await until(() => messages.length === 2)
    const [first, second] = messages
    expect([second?.headers['webhook-id'], second?.body]).toEqual([first?.headers['webhook-id'], first?.body])
    for (const { headers, body } of messages)
      expect(new Webhook(webhookSecret).verify(body, headers as Record<string, string>)).toMatchObject({ paymentId: attempt })
  }, 30_000)

  it('loses nothing that it answered when it is killed', async () => {
    const path = await temporaryPath()
    const attempt = fakeIds().next()
    const { child, firstLine } = start(path, 'http://127.0.0.1:1/', 'completes', attempt)
    expect(await firstLine).toBe('instructed')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const { url, messages } = await callbacksAt((response) => response.writeHead(200).end())
    await serveHere(path, url)
    await until(() => messages.length === 1)
    expect(JSON.parse(messages[0]?.body ?? '')).toMatchObject({ paymentId: attempt, status: 'COMPLETED' })
  }, 30_000)
})
