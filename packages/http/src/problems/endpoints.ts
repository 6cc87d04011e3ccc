import { z } from '@hono/zod-openapi'
import { encoded, encodedJson, publicJson, represent } from '../server/answer.ts'
import { type Endpoint, endpoint } from '../server/endpoint.ts'
import { pageHeaders } from '../server/secure-headers.ts'
import { catalogue, type ProblemCode, problemCodes } from './catalogue.ts'
import { problem } from './problem.ts'

const page = z.strictObject({ code: z.string(), status: z.int(), title: z.string(), remedy: z.string() }).openapi('ProblemPage')

/** The pages that `type` of a problem leads to. */
export function problemEndpoints(): readonly Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/problems/{code}',
      permission: null,
      confinement: 'open',
      summary: 'What a problem code means and what to do about it',
      description: 'A page for people when Accept prefers text/html, else JSON.',
      tag: 'Documentation',
      params: z.strictObject({ code: z.string().openapi({ example: 'stale-version' }) }),
      successes: { 200: { description: 'The problem', content: { 'application/json': page, 'text/html': z.string() } } },
      problems: ['not-found'],
      handle: ({ params: { code } }, exchange) => {
        if (!isCode(code)) return problem('not-found', `There is no problem of the code ${code}; the OpenAPI document lists them all.`)
        const vary = 'Accept, Accept-Encoding'
        if (!prefersHtml(exchange.header('accept'))) {
          const body = encodedJson({ code, ...catalogue[code] })
          return represent(exchange, { status: 200, headers: { ...publicJson, vary }, body, etag: null })
        }
        const headers = { ...pageHeaders, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache', vary }
        return represent(exchange, { status: 200, headers, body: encoded(pageOf(code)), etag: null })
      },
    }),
  ]
}

function isCode(text: string): text is ProblemCode {
  return (problemCodes as readonly string[]).includes(text)
}

function prefersHtml(accept: string | undefined): boolean {
  return accept !== undefined && /text\/html/i.test(accept)
}

function pageOf(code: ProblemCode): string {
  const { status, title, remedy } = catalogue[code]
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>Status ${status}, code <code>${code}</code></p>
<p>${escapeHtml(remedy)}</p>
<p><a href="/docs">The documentation of this service</a></p>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
