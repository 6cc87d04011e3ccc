import { fakeInboundSecret, fakePaymentService } from '@cbp/core/testing'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { createdPayment, process } from '../../tests/payments.ts'
import { openApp, openServer, problemOf, type TestApp } from '../../tests/support.ts'
import { systemClock } from '../assembly/platform/index.ts'

const signer = new Webhook(fakeInboundSecret)

type Signing = Readonly<{ id?: string; at?: Date; headers?: Record<string, string | undefined> }>

function signed(text: string, { id = 'msg_1', at = new Date(), headers = {} }: Signing = {}): Record<string, string | undefined> {
  return {
    authorization: undefined,
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signer.sign(id, at, text),
    ...headers,
  }
}

function send({ call }: TestApp, raw: string | Uint8Array, headers: Record<string, string | undefined>): Promise<Response> {
  return call('POST', '/webhooks/payment-status', { raw, headers })
}

function report(paymentId: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ paymentId, status: 'COMPLETED', occurredAt: new Date().toISOString(), reference: 'ps-1', ...more })
}

/** A payment that the Payment Service has taken and not settled yet. */
async function openPayment(): Promise<TestApp & Readonly<{ id: string }>> {
  const behaviourOf = () => ({ kind: 'completes', afterMs: 60_000 }) as const
  const opened = await openApp({ ports: { paymentService: fakePaymentService({ clock: systemClock, behaviourOf }) } })
  const { id } = await createdPayment(opened.call)
  expect((await process(opened.call, id)).status).toBe(202)
  return { ...opened, id }
}

const statusOf = async ({ call }: TestApp, id: string): Promise<unknown> =>
  ((await (await call('GET', `/payments/${id}/status`)).json()) as { status: string }).status

describe('an inbound webhook', () => {
  it('settles a payment, without any bearer', async () => {
    const opened = await openPayment()
    const text = report(opened.id, { memberOfTomorrow: { a: 1 } })
    const response = await send(opened, text, signed(text))
    expect([response.status, await response.json()]).toEqual([200, { id: 'msg_1', outcome: 'effect' }])
    expect(await statusOf(opened, opened.id)).toBe('COMPLETED')
    expect(opened.logged).toContainEqual({ level: 'info', message: 'an inbound webhook was taken' })
  })

  it('L16 has one effect for one id, however often it comes', async () => {
    const opened = await openPayment()
    const text = report(opened.id)
    const answers = await Promise.all(Array.from({ length: 4 }, () => send(opened, text, signed(text))))
    const outcomes = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { outcome: string }).outcome))
    expect(outcomes.toSorted()).toEqual(['duplicate', 'duplicate', 'duplicate', 'effect'])
    const other = await send(opened, text, signed(text, { id: 'msg_2' }))
    expect(await other.json()).toEqual({ id: 'msg_2', outcome: 'recorded' })
  })

  it('is signed over its raw bytes, in any spelling of JSON and whatever its type', async () => {
    const opened = await openPayment()
    const text = ` {"status" :"COMPLETED","occurredAt":"2026-01-31T09:00:00+01:00",\n"paymentId":"${opened.id.toUpperCase()}", "reason":"ü\\u00fc"}\n`
    const answer = await send(opened, text, signed(text, { headers: { 'content-type': 'text/plain' } }))
    expect(answer.status).toBe(200)
  })

  it('is taken over a real connection, in chunks', async () => {
    const opened = await openServer()
    const { id } = await createdPayment(opened.call)
    const text = report(id, { status: 'FAILED' })
    const headers = Object.entries(signed(text)).filter((field): field is [string, string] => field[1] !== undefined)
    const body = new Blob([text]).stream()
    const answer = await fetch(`${opened.url}/webhooks/payment-status`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
    expect(answer.status).toBe(200)
  })

  it.each<[string, (text: string) => Readonly<{ raw?: string | Uint8Array; headers: Record<string, string | undefined> }>]>([
    ['without any headers', () => ({ headers: { authorization: undefined } })],
    ['without an id', (text) => ({ headers: signed(text, { headers: { 'webhook-id': undefined } }) })],
    ['without a time', (text) => ({ headers: signed(text, { headers: { 'webhook-timestamp': undefined } }) })],
    ['without a signature', (text) => ({ headers: signed(text, { headers: { 'webhook-signature': undefined } }) })],
    ['with one byte more', (text) => ({ raw: `${text} `, headers: signed(text) })],
    ['with a mark of byte order before it', (text) => ({ raw: `\ufeff${text}`, headers: signed(text) })],
    ['with the id of another', (text) => ({ headers: signed(text, { headers: { 'webhook-id': 'msg_2' } }) })],
    [
      'with a time of its own',
      (text) => ({ headers: signed(text, { headers: { 'webhook-timestamp': String(Math.floor(Date.now() / 1000) + 1) } }) }),
    ],
    ['six minutes old', (text) => ({ headers: signed(text, { at: new Date(Date.now() - 360_000) }) })],
    ['of six minutes to come', (text) => ({ headers: signed(text, { at: new Date(Date.now() + 360_000) }) })],
    [
      'with a signature of another secret',
      (text) => ({
        headers: signed(text, {
          headers: { 'webhook-signature': new Webhook(`whsec_${'B'.repeat(43)}=`).sign('msg_1', new Date(), text) },
        }),
      }),
    ],
    [
      'with a signature of another version',
      (text) => ({
        headers: signed(text, { headers: { 'webhook-signature': signer.sign('msg_1', new Date(), text).replace('v1,', 'v1a,') } }),
      }),
    ],
    ['that is no UTF-8', (text) => ({ raw: new Uint8Array([...Buffer.from(text), 0xff]), headers: signed(text) })],
  ])('is refused %s, and changes nothing', async (_name, make) => {
    const opened = await openPayment()
    const text = report(opened.id)
    const { raw, headers } = make(text)
    const response = await send(opened, raw ?? text, headers)
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'signature-invalid' })
    expect(response.headers.get('www-authenticate')).toMatch(/^StandardWebhooks /)
    expect(await statusOf(opened, opened.id)).toBe('PROCESSING')
  })

  it.each([
    ['that is no JSON', '{"paymentId"', 400, 'malformed-json'],
    ['without a status', '{"paymentId":"01890a5d-ac96-774b-bcce-b302099a8057"}', 422, 'invalid-body'],
    ['of an unknown payment', report('01890a5d-ac96-774b-bcce-b302099a8057'), 404, 'payment-not-found'],
    ['of a status that is none', report('01890a5d-ac96-774b-bcce-b302099a8057', { status: 'DONE' }), 422, 'invalid-body'],
  ])('is refused when it is well signed, but %s', async (_name, text, status, code) => {
    const opened = await openApp()
    expect(await problemOf(await send(opened, text, signed(text)))).toMatchObject({ status, code })
  })

  it('is read no further than 64 KiB', async () => {
    const opened = await openApp()
    const text = 'x'.repeat(64 * 1024 + 1)
    expect(await problemOf(await send(opened, text, signed(text)))).toMatchObject({ status: 413, code: 'body-too-large' })
  })
})
