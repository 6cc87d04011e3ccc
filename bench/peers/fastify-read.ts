/** A Fastify service as its users build it, doing the work of the host for one read: token, parameters, lookup, ETag, log line. */
import etag from '@fastify/etag'
import jwt from '@fastify/jwt'
import fastify from 'fastify'
import { type Exemplar, type Read, readSchema, serverOptions, tokenOptions } from '../lib/fastify-reads.ts'

const [exemplarText = '', publicKey = '', logFile = '', tuning = 'default'] = process.argv.slice(2)
const { headers, body } = JSON.parse(exemplarText) as Exemplar
const entries = new Map([['payments/retry.policy/production/first-cu', JSON.parse(body) as unknown]])
const ofAnswer = new Set(['content-type', 'content-length', 'etag', 'x-request-id'])
const constantHeaders = Object.fromEntries(Object.entries(headers).filter(([name]) => !ofAnswer.has(name)))

/** Tuned: the log gathered into few writes and verified tokens remembered, as the host does; else the defaults. */
const isTuned = tuning === 'tuned'
const app = fastify(serverOptions(isTuned, logFile))
await app.register(jwt, tokenOptions(isTuned, publicKey))
await app.register(etag)

app.get<Read>(
  '/config/:component/:key',
  {
    schema: readSchema,
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
