import type { Core, Identity } from '@cbp/core'
import { errAsync, ok, okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { type Ended, memoryHost, noHost, type RunOptions, run } from '../../tests/harness.ts'
import type { Host } from '../host.ts'

const wanted = ['--amount', '1250', '--currency', 'eur', '--payee-id', 'power-co', '--payee-name', 'Power Company', '--user', 'user-1']
const nobody = '01890000-0000-7000-8000-00000000dead'

type Made = Readonly<{ id: string; status: string; amount: number; version: number; client: string }>

function create(host: Host, more: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
  return run(host, ['payment', 'create', ...wanted, ...more], options)
}

/** The id of a new payment. */
async function pending(host: Host, more: readonly string[] = []): Promise<string> {
  return ((await create(host, [...more, '--json'])).json() as Made).id
}

function payment(host: Host, line: string, options: RunOptions = {}): Promise<Ended> {
  return run(host, ['payment', ...line.split(' ')], options)
}

describe('payment create', () => {
  it('tells what it made, with the amount in major units', async () => {
    const { code, stdout } = await create(memoryHost(), ['--reference', 'bill-1', '--metadata', 'order=7', '--metadata', 'note=a=b'])
    expect(code).toBe(0)
    for (const text of ['EUR 12.50', 'PENDING', 'Power Company (power-co)', 'bill-1', 'order=7, note=a=b']) expect(stdout).toContain(text)
  })

  it('answers the wire form with --json, with the amount in minor units', async () => {
    const { code, json } = await create(memoryHost(), ['--metadata', 'order=7', '--json'])
    expect(code).toBe(0)
    expect(json()).toMatchObject({ status: 'PENDING', amount: 1250, currency: 'EUR', metadata: { order: '7' }, client: 'cli:tester' })
  })

  it('makes a key where none is given, and tells it on stderr', async () => {
    const host = memoryHost()
    const { stderr, json } = await create(host, ['--json'])
    const { notice, detail } = JSON.parse(stderr) as Readonly<{ notice: string; detail: string }>
    expect(notice).toBe('idempotency-key')
    const again = await create(host, ['--json', ...(detail.match(/--idempotency-key \S+/)?.[0] ?? '').split(' ')])
    expect(again.json()).toEqual(json())
  })

  it('L10: answers the same payment to the same key, without a second one', async () => {
    const host = memoryHost()
    const first = await create(host, ['--idempotency-key', 'k', '--json'])
    const second = await create(host, ['--idempotency-key', 'k', '--json'])
    expect([second.code, second.stderr, second.stdout]).toEqual([0, '', first.stdout])
    expect((await create(host, ['--idempotency-key', 'k'])).stdout).toContain('was made before, by this key')
    expect((await payment(host, 'list --json')).json()).toMatchObject({ items: [expect.anything()] })
  })

  it('refuses a key that was used for another payment, with exit code 1', async () => {
    const host = memoryHost()
    await create(host, ['--idempotency-key', 'k'])
    const { code, stdout, problem } = await create(host, ['--idempotency-key', 'k', '--amount', '9', '--json'])
    expect([code, stdout]).toEqual([1, ''])
    expect(problem()).toMatchObject({ code: 'idempotency-key-reused' })
  })

  it('refuses a reference that was used before as a conflict that names the payment', async () => {
    const host = memoryHost()
    const id = await pending(host, ['--reference', 'bill-1'])
    const { code, stderr } = await create(host, ['--reference', 'bill-1', '--idempotency-key', 'other'])
    expect([code, stderr]).toEqual([3, expect.stringContaining(id)])
  })

  it.each(['12.50', '0', '-5', '1e3', '0x10', '9007199254740993', '', ' 5', '١٢'])('refuses the amount %j', async (amount) => {
    const { code, stderr } = await run(noHost, ['payment', 'create', ...wanted, `--amount=${amount}`])
    expect([code, stderr]).toEqual([2, expect.stringContaining('e.g. 1250 for 12.50 EUR')])
  })

  it.each([
    [['--metadata', 'order'], 'name=value'],
    [['--metadata', '=7'], 'name=value'],
    [['--metadata', 'a=1', '--metadata', 'a=2'], '"a" is given twice'],
    [['--idempotency-key', 'two words'], 'visible ASCII'],
    [['--idempotency-key', ''], 'visible ASCII'],
  ])('refuses %j as wrong usage', async (more, told) => {
    expect(await create(noHost, more)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(told) })
  })

  it('tells every fault of the details at once, with exit code 1', async () => {
    const { code, problem } = await create(memoryHost(), ['--currency', 'XXX', '--payee-name', ' ', '--json', '--idempotency-key', 'k'])
    expect(code).toBe(1)
    const { errors } = problem() as Readonly<{ errors: readonly Readonly<{ pointer: string }>[] }>
    expect(errors.map(({ pointer }) => pointer)).toEqual(['/currency', '/payee/name'])
  })

  it('keeps hostile text as it is, and shows nothing that a terminal would obey', async () => {
    const host = memoryHost()
    const name = 'Zoë \u202eevil'
    const made = await create(host, ['--payee-name', name, '--json'])
    expect(made.json()).toMatchObject({ payee: { name } })
    const { stdout } = await payment(host, `show ${(made.json() as Made).id}`, { tty: true })
    expect(stdout).toContain('\\u202eevil')
    expect(stdout).not.toContain('\u202e')
  })

  it('takes a name in the metadata that every object has', async () => {
    const { code } = await create(memoryHost(), ['--metadata', '__proto__=x', '--idempotency-key', 'k'])
    expect(code).toBe(1)
    expect((await create(memoryHost(), ['--metadata', 'constructor=x', '--json'])).json()).toMatchObject({ metadata: { constructor: 'x' } })
  })
})

describe('payment list', () => {
  it('lists the newest first, page by page, or all at once', async () => {
    const host = memoryHost()
    const ids = [await pending(host), await pending(host), await pending(host)].reverse()
    const { json, stderr } = await payment(host, 'list --limit 2 --json')
    expect([json(), stderr]).toEqual([{ items: [expect.anything(), expect.anything()], nextBefore: ids[1] }, ''])
    const rest = (await payment(host, `list --before ${ids[1]} --json`)).json() as { items: readonly Made[] }
    expect(rest.items.map(({ id }) => id)).toEqual([ids[2]])
    const all = (await payment(host, 'list --all --limit 1 --json')).json() as { items: readonly Made[] }
    expect(all.items.map(({ id }) => id)).toEqual(ids)
    expect((await payment(host, 'list --limit 2')).stderr).toContain(`--before ${ids[1]}`)
  })

  it('keeps to the filters', async () => {
    const host = memoryHost()
    const id = await pending(host)
    await payment(host, `process ${id}`)
    await pending(host)
    expect((await payment(host, 'list --status completed --json')).json()).toMatchObject({ items: [{ id }] })
    expect((await payment(host, 'list --user nobody --json')).json()).toEqual({ items: [], nextBefore: null })
    expect((await payment(host, 'list --to 2020-01-01T00:00:00Z')).stdout).toBe('There are no such payments.\n')
    expect((await payment(host, 'list --from 2020-01-01T00:00:00Z --json')).json()).toMatchObject({ items: { length: 2 } })
  })

  it.each([
    ['list --from yesterday', 'not "yesterday"'],
    ['list --to 2026-02-30T00:00:00Z', 'takes an instant'],
    ['list --before x', 'takes an id'],
    ['list --status DONE', 'Allowed choices are PENDING'],
    ['list --limit 0', 'whole number from 1 on'],
  ])('refuses %s as wrong usage', async (line, told) => {
    expect(await payment(noHost, line)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(told) })
  })
})

describe('payment show, history and verify', () => {
  it('shows a payment with its history', async () => {
    const host = memoryHost()
    const id = await pending(host)
    await payment(host, `process ${id}`)
    const { stdout } = await payment(host, `show ${id}`)
    for (const text of [id, 'EUR 12.50', 'created PENDING', 'PENDING → PROCESSING', 'PROCESSING → COMPLETED'])
      expect(stdout).toContain(text)
    const { json } = await payment(host, `show ${id} --json`)
    expect(json()).toMatchObject({ id, status: 'COMPLETED', history: [{ number: 1, kind: 'created' }, { number: 2 }, { number: 3 }] })
  })

  it('shows the history alone', async () => {
    const host = memoryHost()
    const id = await pending(host)
    expect((await payment(host, `history ${id} --json`)).json()).toMatchObject({ items: [{ to: 'PENDING', actor: 'cli:tester' }] })
    expect((await payment(host, `history ${id.toUpperCase()}`)).stdout).toContain('created PENDING')
  })

  it('verifies with exit code 0 what both sides agree on', async () => {
    const host = memoryHost()
    const id = await pending(host)
    await payment(host, `process ${id}`)
    const { code, json } = await payment(host, `verify ${id} --json`)
    expect([code, json()]).toEqual([0, { id, verified: true, status: 'COMPLETED', remoteStatus: 'COMPLETED', discrepancies: [] }])
  })

  it('ends with exit code 1, and the whole answer, when they do not agree', async () => {
    const host = memoryHost({}, (core) => disagreeing(core))
    const id = await pending(host)
    const { code, stdout } = await payment(host, `verify ${id}`)
    expect([code, stdout]).toEqual([1, expect.stringContaining('Not verified')])
    expect((await payment(host, `verify ${id} --json`)).json()).toMatchObject({ verified: false, discrepancies: [{ kind: 'amount' }] })
  })

  it('ends with exit code 5 when the Payment Service does not answer', async () => {
    const host = memoryHost({}, (core) => ({
      ...core,
      payments: {
        ...core.payments,
        verify: () => errAsync({ kind: 'payment-service-unavailable', sent: true, reason: 'no answer in time' }),
      },
    }))
    expect(await payment(host, `verify ${nobody}`)).toMatchObject({ code: 5, stderr: expect.stringContaining('no answer in time') })
  })

  it.each(['show', 'history', 'verify', 'process --idempotency-key k', 'amend --amount 5', 'cancel --yes'])(
    'ends with exit code 4 for nobody: %s',
    async (command) => {
      const { code, stdout, problem } = await payment(memoryHost(), `${command} ${nobody} --json`)
      expect([code, stdout, problem()]).toEqual([4, '', expect.objectContaining({ code: 'payment-not-found' })])
    },
  )

  it.each(['x', '../etc', '%00', "1' OR '1'='1"])('finds nothing by the name %j', async (id) => {
    expect(await run(noHost, ['payment', 'show', id])).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('an id is a UUID'),
    })
  })
})

describe('payment process', () => {
  it('instructs the Payment Service once, whatever is repeated', async () => {
    const host = memoryHost()
    const id = await pending(host)
    const first = await payment(host, `process ${id} --idempotency-key p --json`)
    const second = await payment(host, `process ${id} --idempotency-key p --json`)
    expect([first.code, second.stdout]).toEqual([0, first.stdout])
    expect(first.json()).toMatchObject({ id, status: 'COMPLETED' })
    expect(await payment(host, `process ${id} --idempotency-key q`)).toMatchObject({ code: 3 })
  })

  it('waits until the payment has ended, telling how far it is', async () => {
    let looks = 0
    const host = memoryHost({}, (core) => slow(core, () => (++looks < 3 ? 'PROCESSING' : 'COMPLETED')))
    const id = await pending(host)
    const { code, stderr, stdout } = await payment(host, `process ${id} --wait --idempotency-key p`)
    expect([code, stderr]).toEqual([0, 'PROCESSING …\nCOMPLETED\n'])
    expect(stdout).toContain('is COMPLETED')
  })

  it('ends with exit code 1 when the payment fails', async () => {
    const host = memoryHost({}, (core) => slow(core, () => 'FAILED'))
    const id = await pending(host)
    const { code, json } = await payment(host, `process ${id} --wait --json`)
    expect([code, json()]).toEqual([1, expect.objectContaining({ status: 'FAILED' })])
  })

  it('ends with exit code 5 when the end does not come in time, and says what to check', async () => {
    const host = memoryHost({}, (core) => slow(core, () => 'UNKNOWN'))
    const id = await pending(host)
    const { code, stdout, stderr } = await payment(host, `process ${id} --wait --timeout 1s`)
    expect([code, stdout]).toEqual([5, ''])
    expect(stderr).toContain('still UNKNOWN after 1 s')
    expect(stderr).toContain('cbp serve')
  })

  it('hears a signal while it waits', async () => {
    const host = memoryHost({}, (core) => slow(core, () => 'PROCESSING'))
    const id = await pending(host)
    const stop = new AbortController()
    const onOutput = (text: string): void => {
      if (text.includes('PROCESSING')) stop.abort('SIGINT')
    }
    expect(await payment(host, `process ${id} --wait`, { cancel: stop.signal, onOutput })).toMatchObject({ code: 130 })
  })
})

describe('payment amend', () => {
  it('changes what is named and nothing else', async () => {
    const host = memoryHost()
    const id = await pending(host, ['--metadata', 'a=1'])
    const { code, json } = await run(host, ['payment', 'amend', id, '--amount', '7', '--payee-name', 'Other', '--json'])
    expect(code).toBe(0)
    expect(json()).toMatchObject({ amount: 7, payee: { id: 'power-co', name: 'Other' }, metadata: { a: '1' }, version: 2 })
  })

  it('refuses as a conflict what was changed meanwhile', async () => {
    const host = memoryHost()
    const id = await pending(host)
    await payment(host, `amend ${id} --amount 7`)
    const { code, problem } = await payment(host, `amend ${id} --amount 8 --if-version 1 --json`)
    expect([code, problem()]).toEqual([
      3,
      expect.objectContaining({ code: 'stale-payment', current: { id, status: 'PENDING', version: 2, updatedAt: expect.any(String) } }),
    ])
  })

  it('refuses as a conflict what is no longer PENDING', async () => {
    const host = memoryHost()
    const id = await pending(host)
    await payment(host, `process ${id}`)
    expect(await payment(host, `amend ${id} --amount 7`)).toMatchObject({ code: 3, stderr: expect.stringContaining('is COMPLETED') })
  })

  it('refuses to change nothing', async () => {
    expect(await payment(noHost, `amend ${nobody}`)).toMatchObject({ code: 2 })
  })
})

describe('payment cancel', () => {
  it('asks first, and cancels when it is told so', async () => {
    const host = memoryHost()
    const id = await pending(host)
    const no = await payment(host, `cancel ${id}`, { tty: true, stdin: 'n\n' })
    expect([no.code, no.stderr]).toEqual([1, expect.stringContaining('Cancel the payment of EUR 12.50 to Power Company?')])
    const yes = await payment(host, `cancel ${id} --reason mistake`, { tty: true, stdin: 'y\n' })
    expect([yes.code, yes.stdout]).toEqual([0, expect.stringContaining('CANCELLED')])
    expect((await payment(host, `history ${id} --json`)).json()).toMatchObject({ items: [{}, { to: 'CANCELLED', detail: 'mistake' }] })
  })

  it('needs --yes without a terminal', async () => {
    const host = memoryHost()
    const id = await pending(host)
    expect(await payment(host, `cancel ${id}`)).toMatchObject({ code: 2, stderr: expect.stringContaining('Add --yes') })
    expect((await payment(host, `cancel ${id} --yes --json`)).json()).toMatchObject({ status: 'CANCELLED' })
    expect(await payment(host, `cancel ${id} --yes`)).toMatchObject({ code: 3 })
  })

  it('refuses a reason without words', async () => {
    expect(await run(noHost, ['payment', 'cancel', nobody, '--reason', ' '])).toMatchObject({ code: 2 })
  })
})

describe('a token in CBP_TOKEN', () => {
  const env = { CBP_TOKEN: 'a.b.c' }
  const as = (host: Host, client: string, ...scope: readonly string[]): Host => {
    const identity: Identity = { client, permissions: new Set(scope), configScopes: null, userId: null, expiresAt: 0 }
    return { ...host, identify: async () => ok(identity) }
  }

  it('makes the payment its client', async () => {
    const host = as(memoryHost(), 'issuer|shop', 'payments:write')
    expect((await create(host, ['--json'], { env })).json()).toMatchObject({ client: 'issuer|shop' })
  })

  it('hides the payments of other clients, unless it may see all', async () => {
    const host = memoryHost()
    const id = await pending(host)
    expect(await payment(as(host, 'issuer|shop'), `show ${id}`, { env })).toMatchObject({ code: 4 })
    expect((await payment(as(host, 'issuer|shop'), 'list --json', { env })).json()).toMatchObject({ items: [] })
    expect(await payment(as(host, 'issuer|shop', 'clients:all'), `show ${id}`, { env })).toMatchObject({ code: 0 })
  })
})

function slow(core: Core, statusOf: () => 'PROCESSING' | 'UNKNOWN' | 'COMPLETED' | 'FAILED'): Core {
  const { payments } = core
  return {
    ...core,
    payments: { ...payments, get: (viewer, id) => payments.get(viewer, id).map((payment) => ({ ...payment, status: statusOf() })) },
  }
}

function disagreeing(core: Core): Core {
  const { payments } = core
  const discrepancies = [{ paymentId: nobody as never, kind: 'amount', ours: '1250', theirs: '9', openedAt: 0 }] as const
  return {
    ...core,
    payments: {
      ...payments,
      verify: (viewer, id) =>
        payments.get(viewer, id).andThen((payment) => okAsync({ payment, verified: false, remote: null, discrepancies })),
    },
  }
}
