import { Parser } from '@asyncapi/parser'
import { eventTypes, webhookTypes } from '@cbp/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { openApp } from '../../tests/support.ts'

type Schema = Readonly<{
  properties: Readonly<Record<'type' | 'payload', { const?: string; properties?: Record<string, unknown>; required?: string[] }>>
}>
type Document = Readonly<{
  asyncapi: string
  channels: Readonly<Record<string, { address: string | null }>>
  components: Readonly<{ messages: Readonly<Record<string, { payload: Schema; headers: { properties: Record<string, unknown> } }>> }>
}>

describe('the AsyncAPI document', () => {
  let document: Document

  beforeAll(async () => {
    const { app } = await openApp()
    document = (await (await app.request('/asyncapi.json')).json()) as Document
  })

  it('is valid AsyncAPI 3.0', async () => {
    const { document: parsed, diagnostics } = await new Parser().parse(document as never)
    expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([])
    expect(parsed?.version()).toBe('3.0.0')
  }, 60_000)

  it('has a channel for each type of event, and one for webhooks', () => {
    expect(Object.keys(document.channels)).toHaveLength(eventTypes.length + 1)
    expect(document.channels['payment.created']).toMatchObject({
      address: 'payment.created',
      bindings: { amqp: { exchange: { name: 'events' } } },
    })
    expect(document.channels['webhooks']).toMatchObject({ address: null })
  })

  it('tells type, payload and headers of every message', () => {
    const { messages } = document.components
    expect(Object.keys(messages).toSorted()).toEqual(
      [...eventTypes, ...[...webhookTypes, 'TEST'].map((type) => `webhook.${type}`)].toSorted(),
    )
    for (const [name, { payload, headers }] of Object.entries(messages)) {
      expect([name, payload.properties.type.const]).toEqual([name, name.replace('webhook.', '')])
      expect(Object.keys(headers.properties)).toEqual(
        expect.arrayContaining(name.startsWith('webhook.') ? ['webhook-id', 'webhook-signature'] : ['cbp-stream', 'cbp-sequence']),
      )
    }
    expect(messages['webhook.PAYMENT_COMPLETED']?.payload.properties.payload).toEqual(
      messages['PAYMENT_UPDATED']?.payload.properties.payload,
    )
    expect(messages['PAYMENT_CREATED']?.payload.properties.payload.required).toEqual(['id', 'status', 'amount', 'timestamp'])
  })
})
