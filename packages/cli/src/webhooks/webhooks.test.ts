import type { Core, DeliveryAttempt, WebhookDelivery } from '@cbp/core'
import { ok, ResultAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { type Ended, memoryHost, noHost, type RunOptions, run } from '../../tests/harness.ts'
import type { Host } from '../host.ts'

const url = 'https://billing.example/hooks'
const nobody = '01890000-0000-7000-8000-00000000dead'

type Made = Readonly<{ id: string; secret: string; version: number; types: readonly string[] }>

function webhook(host: Host, line: string, options: RunOptions = {}): Promise<Ended> {
  return run(host, ['webhook', ...line.split(' ')], options)
}

async function subscribed(host: Host, more = ''): Promise<Made> {
  return (await webhook(host, `add --url ${url} --json${more}`)).json()
}

describe('webhook add', () => {
  it('tells the secret once, with a warning on stderr', async () => {
    const host = memoryHost()
    const { code, stdout, stderr } = await webhook(host, `add --url ${url}`)
    expect([code, stdout, stderr]).toEqual([
      0,
      expect.stringMatching(/^secret {2,}whsec_\S+$/m),
      expect.stringContaining('shown this once'),
    ])
    expect((await webhook(host, 'list --all --json')).stdout).not.toContain('whsec_')
  })

  it('answers one document with --json, with the secret in it', async () => {
    const { code, json, stderr } = await webhook(memoryHost(), `add --url ${url} --json`)
    expect([code, JSON.parse(stderr)]).toEqual([0, expect.objectContaining({ notice: 'secret-shown-once' })])
    expect(json()).toMatchObject({
      url,
      status: 'active',
      secret: expect.stringMatching(/^whsec_/),
      reach: { allClients: true, system: true },
    })
  })

  it('hears everything about payments when no types are named', async () => {
    const { types } = await subscribed(memoryHost())
    expect(types.toSorted()).toEqual(['PAYMENT_COMPLETED', 'PAYMENT_CREATED', 'PAYMENT_DELETED', 'PAYMENT_FAILED', 'PAYMENT_UPDATED'])
  })

  it.each([
    '--types PAYMENT_COMPLETED,PAYMENT_FAILED',
    '--types PAYMENT_COMPLETED PAYMENT_FAILED',
    '--types payment_completed --types PAYMENT_FAILED,PAYMENT_COMPLETED',
  ])('takes several types: %s', async (types) => {
    expect(await subscribed(memoryHost(), ` ${types}`)).toMatchObject({ types: ['PAYMENT_COMPLETED', 'PAYMENT_FAILED'] })
  })

  it('takes filters and a description', async () => {
    const line = ` --types CONFIG_UPDATED --component payments delivery --status COMPLETED --description desk`
    expect(await subscribed(memoryHost(), line)).toMatchObject({
      filter: { statuses: ['COMPLETED'], components: ['payments', 'delivery'] },
      description: 'desk',
    })
  })

  it('refuses a target that is forbidden, with exit code 1', async () => {
    const { code, stdout, problem } = await webhook(memoryHost(), 'add --url http://billing.example --json')
    expect([code, stdout, problem()]).toEqual([1, '', expect.objectContaining({ code: 'forbidden-target' })])
  })

  it.each([
    [['--types', 'PAYMENT'], 'Allowed choices are PAYMENT_CREATED'],
    [['--types', ','], 'Allowed choices'],
    [['--component', 'No'], 'A component is'],
    [['--description', 'x'.repeat(201)], 'longer than 200'],
    [['--description', 'a\u001bb'], 'control characters'],
    [['--description', ' '], 'is empty'],
  ])('refuses %j as wrong usage', async (more, told) => {
    const ended = await run(noHost, ['webhook', 'add', '--url', url, ...more])
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(told) })
  })

  it('lends a token no more than it may hear itself', async () => {
    const identity = { client: 'issuer|shop', permissions: new Set(['webhooks:write']), configScopes: null, userId: null, expiresAt: 0 }
    const host: Host = { ...memoryHost(), identify: async () => ok(identity) }
    const env = { CBP_TOKEN: 'a.b.c' }
    expect((await webhook(host, `add --url ${url} --json`, { env })).json()).toMatchObject({
      client: 'issuer|shop',
      reach: { allClients: false, system: false },
    })
    expect(await webhook(host, `add --url ${url} --types CONFIG_UPDATED`, { env })).toMatchObject({ code: 1 })
  })
})

describe('webhook list and show', () => {
  it('lists the newest first, page by page', async () => {
    const host = memoryHost()
    const [first, second] = [await subscribed(host), await subscribed(host)]
    expect((await webhook(host, 'list --limit 1 --json')).json()).toMatchObject({ items: [{ id: second.id }], nextBefore: second.id })
    expect((await webhook(host, `list --before ${second.id} --json`)).json()).toMatchObject({ items: [{ id: first.id }], nextBefore: null })
    expect((await webhook(host, 'list')).stdout).toContain(url)
  })

  it('tells of an empty list', async () => {
    expect(await webhook(memoryHost(), 'list')).toMatchObject({ code: 0, stdout: 'There are no subscriptions.\n' })
  })

  it('shows one', async () => {
    const host = memoryHost()
    const { id } = await subscribed(host)
    expect((await webhook(host, `show ${id}`)).stdout).toContain(url)
    expect((await webhook(host, `show ${id} --json`)).json()).toMatchObject({ id, signingKeys: [{ expiresAt: null }] })
  })

  it.each(['show', 'rotate', 'test', 'enable', 'disable', 'remove', 'amend'])('ends with exit code 4 for nobody: %s', async (command) => {
    const more = command === 'amend' ? ' --url https://x.example' : ''
    const { code, stdout, problem } = await webhook(memoryHost(), `${command} ${nobody} --yes --json${more}`)
    expect([code, stdout, problem()]).toEqual([4, '', expect.objectContaining({ code: 'subscription-not-found' })])
  })
})

describe('changing a subscription', () => {
  it('rotates the secret, so that the one before ends', async () => {
    const host = memoryHost()
    const { id, secret } = await subscribed(host)
    const rotated = (await webhook(host, `rotate ${id} --json`)).json() as Made
    expect(rotated).toMatchObject({ id, signingKeys: [{ expiresAt: null }, { expiresAt: expect.any(String) }] })
    expect(rotated.secret).not.toBe(secret)
    expect((await webhook(host, `show ${id}`)).stdout).toContain('older secrets')
  })

  it('disables and enables', async () => {
    const host = memoryHost()
    const { id } = await subscribed(host)
    expect((await webhook(host, `disable ${id} --json`)).json()).toMatchObject({ status: 'disabled', disabledBecause: expect.any(String) })
    expect(await webhook(host, `test ${id}`)).toMatchObject({ code: 3, stderr: expect.stringContaining(`cbp webhook enable ${id}`) })
    expect((await webhook(host, `enable ${id} --json`)).json()).toMatchObject({ status: 'active', disabledBecause: null })
  })

  it('amends what is named and nothing else', async () => {
    const host = memoryHost()
    const { id } = await subscribed(host, ' --types CONFIG_UPDATED --component payments')
    const { json } = await webhook(host, `amend ${id} --status FAILED --description desk --json`)
    expect(json()).toMatchObject({
      url,
      types: ['CONFIG_UPDATED'],
      description: 'desk',
      filter: { statuses: ['FAILED'], components: ['payments'] },
      version: 2,
    })
    const late = await webhook(host, `amend ${id} --types PAYMENT_CREATED --if-version 1 --json`)
    expect([late.code, late.problem()]).toEqual([3, expect.objectContaining({ code: 'stale-subscription' })])
    expect(await webhook(noHost, `amend ${id}`)).toMatchObject({ code: 2 })
  })

  it('asks before it removes', async () => {
    const host = memoryHost()
    const { id } = await subscribed(host)
    expect(await webhook(host, `remove ${id}`)).toMatchObject({ code: 2 })
    expect(await webhook(host, `remove ${id}`, { tty: true, stdin: 'n\n' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(url),
    })
    expect((await webhook(host, `remove ${id} --yes --json`)).json()).toMatchObject({ id, status: 'deleted' })
    expect((await webhook(host, 'list --json')).json()).toMatchObject({ items: [] })
  })

  it('removes only what it has shown', async () => {
    const host = memoryHost({}, changedAfterReading)
    const { id } = await subscribed(host)
    const { code, problem } = await webhook(host, `remove ${id} --yes --json`)
    expect([code, problem()]).toEqual([
      3,
      expect.objectContaining({ code: 'stale-subscription', current: expect.objectContaining({ id }) }),
    ])
  })
})

describe('webhook test, deliveries and replay', () => {
  it('queues a test message', async () => {
    const host = memoryHost()
    const { id } = await subscribed(host)
    const { code, json } = await webhook(host, `test ${id} --json`)
    expect([code, json()]).toEqual([0, expect.objectContaining({ type: 'TEST', status: 'pending', subscriptionId: id, attempts: [] })])
    expect((await webhook(host, `test ${id}`)).stdout).toContain('a serving instance sends it')
  })

  it('lists deliveries and keeps to the filters', async () => {
    const host = memoryHost()
    const { id } = await subscribed(host)
    const other = await subscribed(host)
    const sent = (await webhook(host, `test ${id} --json`)).json() as Made
    expect((await webhook(host, `deliveries --subscription ${id} --status PENDING --json`)).json()).toMatchObject({
      items: [{ id: sent.id }],
      nextBefore: null,
    })
    expect((await webhook(host, `deliveries --subscription ${other.id}`)).stdout).toBe('There are no such deliveries.\n')
    expect((await webhook(host, 'deliveries --status delivered --json')).json()).toMatchObject({ items: [] })
  })

  it('shows the attempts of one', async () => {
    const host = memoryHost({}, withAttempts)
    const { id } = await subscribed(host)
    const sent = (await webhook(host, `test ${id} --json`)).json() as Made
    const { stdout } = await webhook(host, `deliveries ${sent.id}`)
    for (const text of ['connection refused', 'HTTP 500', 'busy\\u001b[2J', '12 ms']) expect(stdout).toContain(text)
    expect((await webhook(host, `deliveries ${sent.id} --json`)).json()).toMatchObject({ attempts: [{ number: 1 }, { number: 2 }] })
  })

  it('replays only what has ended', async () => {
    const host = memoryHost()
    const { id } = await subscribed(host)
    const sent = (await webhook(host, `test ${id} --json`)).json() as Made
    expect(await webhook(host, `replay ${sent.id}`)).toMatchObject({ code: 3, stderr: expect.stringContaining('has not ended yet') })
    await webhook(host, `disable ${id}`)
    await webhook(host, `enable ${id}`)
    const again = await webhook(host, `replay ${sent.id} --json`)
    expect([again.code, again.json()]).toEqual([0, expect.objectContaining({ replayOf: sent.id, status: 'pending' })])
  })

  it.each([`deliveries ${nobody}`, `replay ${nobody}`])('ends with exit code 4 for nobody: %s', async (line) => {
    expect(await webhook(memoryHost(), line)).toMatchObject({ code: 4, stdout: '' })
  })

  it('refuses filters beside the id of one', async () => {
    expect(await webhook(noHost, `deliveries ${nobody} --status pending`)).toMatchObject({ code: 2 })
  })
})

const attempts: readonly DeliveryAttempt[] = [
  { number: 1, at: 0, latencyMs: 12, status: null, error: 'connection refused', answer: null },
  { number: 2, at: 5000, latencyMs: 30, status: 500, error: null, answer: 'busy\u001b[2J' },
]

function withAttempts(core: Core): Core {
  const { webhooks } = core
  const tried = (delivery: WebhookDelivery): WebhookDelivery => ({ ...delivery, attempts })
  return { ...core, webhooks: { ...webhooks, delivery: (viewer, id) => webhooks.delivery(viewer, id).map(tried) } }
}

function changedAfterReading(core: Core): Core {
  const { webhooks } = core
  const caller = { client: 'another', requestId: 'meanwhile', traceparent: null }
  const change = { caller, amendment: { description: 'changed' }, reach: { allClients: true, system: true }, version: null }
  const changing: typeof webhooks.subscription = (viewer, id) => {
    const found = webhooks.subscription(viewer, id)
    return new ResultAsync(
      (async () => {
        await found
        await webhooks.amend({ id, viewer, ...change })
        return found
      })(),
    )
  }
  return { ...core, webhooks: { ...webhooks, subscription: changing } }
}
