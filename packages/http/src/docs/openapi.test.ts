import { webhookTypes } from '@cbp/core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { openApp } from '../../tests/support.ts'

type Operation = { security?: unknown[]; responses: Record<string, unknown>; operationId: string }
type Document = { openapi: string; paths: Record<string, Record<string, Operation>> }

async function documentOf(): Promise<{ document: Document; routes: Set<string> }> {
  const { app } = await openApp()
  const document = (await (await app.request('/openapi.json')).json()) as Document
  const routes = new Set(app.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`))
  return { document, routes }
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { document } = await documentOf()
    expect(document.openapi).toBe('3.1.0')
    expect(await new Validator().validate(document as never)).toEqual({ valid: true })
  })

  it('has every route of the app, and no other', async () => {
    const { document, routes } = await documentOf()
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.toSorted()).toEqual([...routes].toSorted())
  })

  it('has what subscribers get', async () => {
    const { webhooks } = (await documentOf()).document as Document & { webhooks: Record<string, unknown> }
    expect(Object.keys(webhooks).toSorted()).toEqual([...webhookTypes, 'TEST'].toSorted())
  })

  it('says how an inbound webhook is signed, and that it takes no bearer', async () => {
    const { document } = await documentOf()
    const operation = document.paths['/webhooks/payment-status']?.['post'] as Operation & {
      parameters: { name: string; required: boolean }[]
      requestBody: unknown
    }
    expect(operation.security).toEqual([])
    expect(operation.parameters.map(({ name }) => name)).toEqual(['webhook-id', 'webhook-timestamp', 'webhook-signature'])
    for (const { required } of operation?.parameters ?? []) expect(required).toBe(true)
    expect(operation?.requestBody).toBeDefined()
  })

  it('names both media types of a patch', async () => {
    const { document } = await documentOf()
    const operation = document.paths['/payments/{id}']?.['patch'] as (Operation & { requestBody: { content: object } }) | undefined
    expect(Object.keys(operation?.requestBody.content ?? {})).toEqual(['application/merge-patch+json', 'application/json'])
  })

  it('gives every operation an id of its own, and every guarded one a 401 and 403', async () => {
    const { document } = await documentOf()
    const operations = Object.values(document.paths).flatMap((each) => Object.values(each))
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    for (const { security, responses } of operations) {
      if (security !== undefined && security.length > 0)
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403', '503']))
    }
  })
})

describe('the problems of the OpenAPI document', () => {
  type Schema = { $ref?: string; allOf?: Schema[]; properties?: Record<string, unknown> }
  type Described = Document & { info: { description: string }; components: { schemas: Record<string, Schema> } }

  it('have schemas for the members of their own', async () => {
    const { components, paths } = (await documentOf()).document as Described
    const membersAt = (path: string, method: string, status: string): string[] => {
      const response = paths[path]?.[method]?.responses[status] as { content: Record<string, { schema: Schema }> }
      const name = response.content['application/problem+json']?.schema.$ref?.split('/').at(-1) ?? ''
      return [components.schemas[name] ?? {}, ...(components.schemas[name]?.allOf ?? [])].flatMap((each) =>
        Object.keys(each.properties ?? {}),
      )
    }
    expect(membersAt('/config/{component}/{key}', 'put', '412')).toEqual(expect.arrayContaining(['current', 'differences']))
    expect(membersAt('/payments/{id}', 'patch', '412')).toContain('current')
    expect(membersAt('/payments', 'post', '409')).toContain('paymentId')
    expect(membersAt('/config/changes', 'get', '410')).toContain('head')
    expect(membersAt('/config/{component}', 'get', '404')).toContain('head')
  })

  it('name those that any request may meet', async () => {
    const { info, paths } = (await documentOf()).document as Described
    for (const status of [405, 408, 413, 417, 431]) expect(info.description).toContain(`- ${status} `)
    expect(Object.keys(paths['/config/{component}/{key}']?.['put']?.responses ?? {})).toEqual(
      expect.arrayContaining(['408', '413', '417', '431']),
    )
  })
})
