import { readFile, writeFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { paymentServiceDocument } from './openapi.ts'

const kept = new URL('../../../../../docs/payment-service.openapi.json', import.meta.url)

describe('the interface of the Payment Service', () => {
  it('is valid OpenAPI 3.1', async () => {
    const document = paymentServiceDocument('1.0.0')
    expect(document.openapi).toBe('3.1.0')
    expect(await new Validator().validate(document as never)).toEqual({ valid: true })
  })

  it('has both operations, and the webhook it sends', () => {
    const { paths, webhooks } = paymentServiceDocument('1.0.0')
    expect(Object.keys(paths?.['/attempts/{attemptId}'] ?? {}).toSorted()).toEqual(['get', 'put'])
    expect(Object.keys(webhooks ?? {})).toEqual(['payment-status'])
  })

  // UPDATE_DOCUMENTS=1 writes it.
  it('is kept in docs as it is generated', async () => {
    const document = paymentServiceDocument('0.1.0')
    if (process.env['UPDATE_DOCUMENTS'] === '1') await writeFile(kept, `${JSON.stringify(document, null, 2)}\n`)
    expect(JSON.parse(await readFile(kept, 'utf8'))).toEqual(document)
  })
})
