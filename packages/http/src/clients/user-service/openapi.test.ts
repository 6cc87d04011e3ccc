import { readFile, writeFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { userServiceDocument } from './openapi.ts'

const kept = new URL('../../../../../docs/user-service.openapi.json', import.meta.url)

describe('the interface of the User Service', () => {
  it('is valid OpenAPI 3.1', async () => {
    const document = userServiceDocument('1.0.0')
    expect(document.openapi).toBe('3.1.0')
    expect(await new Validator().validate(document as never)).toEqual({ valid: true })
  })

  // UPDATE_DOCUMENTS=1 writes it.
  it('is kept in docs as it is generated', async () => {
    const document = userServiceDocument('0.1.0')
    if (process.env['UPDATE_DOCUMENTS'] === '1') await writeFile(kept, `${JSON.stringify(document, null, 2)}\n`)
    expect(JSON.parse(await readFile(kept, 'utf8'))).toEqual(document)
  })
})
