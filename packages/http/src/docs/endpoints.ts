import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { paymentServiceDocument } from '../clients/payment-service/openapi.ts'
import { userServiceDocument } from '../clients/user-service/openapi.ts'
import { problem } from '../problems/problem.ts'
import { type Encoded, encoded, encodedBytes, encodedJson, publicJson, represent } from '../server/answer.ts'
import { type Endpoint, endpoint } from '../server/endpoint.ts'
import { pageHeaders } from '../server/secure-headers.ts'
import { asyncApiDocument } from './asyncapi.ts'
import { openApiDocument } from './openapi.ts'

const assetDir = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

/** The files of swagger-ui-dist that the page needs; nothing else of that folder is served. */
const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}

/** Scripts and styles from this service alone; swagger-ui sets style attributes and draws its icons from data URLs. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CBP Config API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

const start = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
})
`

const text = z.string()

/** The OpenAPI document and a page over it that works without any network but this service. */
export function docsEndpoints(app: Pick<OpenAPIHono, 'openAPIRegistry' | 'getOpenAPI31Document'>, version: string): readonly Endpoint[] {
  const loaded = new Map<string, Promise<Encoded>>()
  const load = (name: string): Promise<Encoded> => {
    const known = loaded.get(name)
    if (known !== undefined) return known
    const loading = readFile(join(assetDir, name)).then(encodedBytes)
    loaded.set(name, loading)
    return loading
  }
  return [
    documentEndpoint('/openapi.json', 'This document', 'OpenAPI 3.1', () => openApiDocument(app, version)),
    documentEndpoint('/asyncapi.json', 'The events and webhooks that this service sends', 'AsyncAPI 3.0', () => asyncApiDocument(version)),
    documentEndpoint('/payment-service/openapi.json', 'What this service asks of a Payment Service', 'OpenAPI 3.1', () =>
      paymentServiceDocument(version),
    ),
    documentEndpoint('/user-service/openapi.json', 'What this service asks of a User Service', 'OpenAPI 3.1', () =>
      userServiceDocument(version),
    ),
    endpoint({
      method: 'get',
      path: '/docs',
      permission: null,
      confinement: 'open',
      summary: 'This documentation as a page',
      tag: 'Documentation',
      successes: { 200: { description: 'The page', content: { 'text/html': text } } },
      handle: (_input, exchange) =>
        represent(exchange, { status: 200, headers: headersOf('text/html; charset=utf-8'), body: encoded(page), etag: null }),
    }),
    endpoint({
      method: 'get',
      path: '/docs/{asset}',
      permission: null,
      confinement: 'open',
      summary: 'Styles and scripts of that page',
      tag: 'Documentation',
      params: z.strictObject({ asset: z.string().openapi({ example: 'swagger-ui.css' }) }),
      successes: { 200: { description: 'The file', content: { 'text/css': text, 'text/javascript': text, 'image/png': text } } },
      problems: ['not-found'],
      handle: async ({ params: { asset } }, exchange) => {
        const type = asset === 'start.js' ? 'text/javascript; charset=utf-8' : Object.hasOwn(assets, asset) ? assets[asset] : undefined
        if (type === undefined) return problem('not-found', `There is nothing at /docs/${asset}.`)
        const body = asset === 'start.js' ? encoded(start) : await load(asset)
        return represent(exchange, { status: 200, headers: headersOf(type), body, etag: null })
      },
    }),
  ]
}

/** A document that is made once, when it is first asked for. */
function documentEndpoint(path: string, summary: string, description: string, make: () => unknown): Endpoint {
  let made: Encoded | null = null
  return endpoint({
    method: 'get',
    path,
    permission: null,
    confinement: 'open',
    summary,
    tag: 'Documentation',
    successes: { 200: { description, content: { 'application/json': z.looseObject({}) } } },
    handle: (_input, exchange) => {
      made ??= encodedJson(make())
      return represent(exchange, { status: 200, headers: publicJson, body: made, etag: null })
    },
  })
}

function headersOf(type: string): Readonly<Record<string, string>> {
  return {
    ...pageHeaders,
    'content-type': type,
    'cache-control': type.startsWith('text/html') ? 'no-cache' : 'public, max-age=3600',
    'content-security-policy': pagePolicy,
    vary: 'Accept-Encoding',
  }
}
