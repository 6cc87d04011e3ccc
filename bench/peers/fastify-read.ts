/** A Fastify service as its users build it, doing the work of the host for one read: token, parameters, lookup, ETag, log line. */
import etag from '@fastify/etag'
import jwt from '@fastify/jwt'
import fastify from 'fastify'
import { gatheredLog } from '../lib/gathered-log.ts'

type Exemplar = Readonly<{ headers: Readonly<Record<string, string>>; body: string }>

const [exemplarText = '', publicKey = '', logFile = '', tuning = 'default'] = process.argv.slice(2)
const { headers, body } = JSON.parse(exemplarText) as Exemplar
const entries = new Map([['payments/retry.policy/production/first-cu', JSON.parse(body) as unknown]])
const ofAnswer = new Set(['content-type', 'content-length', 'etag', 'x-request-id'])
const constantHeaders = Object.fromEntries(Object.entries(headers).filter(([name]) => !ofAnswer.has(name)))

/** Tuned: the log gathered into few writes and verified tokens remembered, as the host does; else the defaults. */
const isTuned = tuning === 'tuned'
const app = fastify({
  logger: isTuned ? { level: 'info', base: null, stream: gatheredLog(logFile) } : { level: 'info', base: null, file: logFile },
  disableRequestLogging: true,
  requestIdHeader: 'x-request-id',
})
await app.register(jwt, {
  secret: { public: publicKey },
  verify: {
    algorithms: ['EdDSA'],
    allowedIss: 'cbp-development',
    allowedAud: 'cbp-config-api',
    clockTolerance: 60_000,
    requiredClaims: ['exp'],
    cache: isTuned,
  },
})
await app.register(etag)

type Read = { Params: { component: string; key: string }; Querystring: { scope: string } }

app.get<Read>(
  '/config/:component/:key',
  {
    schema: {
      params: {
        type: 'object',
        required: ['component', 'key'],
        properties: {
          component: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' },
          key: { type: 'string', maxLength: 128, pattern: '^[a-z0-9.-]+$' },
        },
      },
      querystring: {
        type: 'object',
        additionalProperties: false,
        properties: { scope: { type: 'string', default: '/', pattern: '^/(?:[a-z][a-z0-9-]{0,62}(?:/[a-z][a-z0-9-]{0,62}){0,3})?$' } },
      },
    },
    onRequest: async (request) => {
      await request.jwtVerify()
      const { scope } = request.user as { scope: string }
      if (!scope.split(' ').includes('config:read')) throw new Error('not permitted')
    },
  },
  (request, reply) => {
    const { component, key } = request.params
    const entry = entries.get(`${component}/${key}${request.query.scope}`)
    if (entry === undefined) return reply.code(404).send()
    return reply.headers(constantHeaders).header('x-request-id', request.id).header('content-type', 'application/json').send(entry)
  },
)
app.addHook('onResponse', async (request, reply) => {
  const { method, url, id } = request
  request.log.info({ method, path: url, status: reply.statusCode, durationMs: reply.elapsedTime, requestId: id }, 'request')
})
const address = await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`listening on ${address}\n`)
process.once('SIGTERM', () => process.exit(0))
