/**
 * A Fastify service as its users build its edge: @fastify/helmet, @fastify/rate-limit by address and, once it is known who
 * asks, by client, @fastify/jwt, schemas of parameters and bodies, a line of log for each request. It reads one value from
 * memory with its ETag, and creates payments in SQLite.
 */
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import fastify, { type FastifyRequest } from 'fastify'
import { type CreatePayment, paymentHandler, paymentSchema } from '../lib/fastify-payments.ts'
import { type Exemplar, type Read, readSchema, serverOptions, tokenOptions } from '../lib/fastify-reads.ts'

const [exemplarText = '', publicKey = '', logFile = '', database = '', tuning = 'default'] = process.argv.slice(2)
const { headers, body } = JSON.parse(exemplarText) as Exemplar
const etag = headers['etag'] ?? ''
const entries = new Map([['payments/retry.policy/production/first-cu', { etag, body }]])
const window = { max: 1_000_000_000, timeWindow: 900_000 }

/** Tuned: verified tokens remembered and the log gathered into few writes, as the host does; else the defaults. */
const isTuned = tuning === 'tuned'
const app = fastify(serverOptions(isTuned, logFile))
await app.register(helmet)
await app.register(rateLimit, { global: false, enableDraftSpec: true, ...window })
await app.register(jwt, tokenOptions(isTuned, publicKey))
app.addHook('onRequest', app.rateLimit())
const ofClient = app.createRateLimit({ ...window, keyGenerator: (request) => (request.user as { sub: string }).sub })

function authenticated(permission: string): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    await request.jwtVerify()
    const decision = await ofClient(request)
    if (!decision.isAllowed && decision.isExceeded) throw Object.assign(new Error('too many requests'), { statusCode: 429 })
    const { scope } = request.user as { scope: string }
    if (!scope.split(' ').includes(permission)) throw Object.assign(new Error('not permitted'), { statusCode: 403 })
  }
}

app.get<Read>('/config/:component/:key', { schema: readSchema, onRequest: authenticated('config:read') }, (request, reply) => {
  const { component, key } = request.params
  const entry = entries.get(`${component}/${key}${request.query.scope}`)
  if (entry === undefined) return reply.code(404).send()
  reply.header('etag', entry.etag).header('cache-control', 'private, no-cache').header('x-request-id', request.id)
  if (request.headers['if-none-match'] === entry.etag) return reply.code(304).send()
  return reply.header('content-type', 'application/json').send(entry.body)
})
const payments = paymentHandler(database)
app.post<CreatePayment>('/payments', { schema: paymentSchema, onRequest: authenticated('payments:write') }, payments.create)
app.addHook('onResponse', async (request, reply) => {
  const { method, url, id } = request
  request.log.info({ method, path: url, status: reply.statusCode, durationMs: reply.elapsedTime, requestId: id }, 'request')
})
const address = await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`listening on ${address}\n`)
process.once('SIGTERM', () => process.exit(0))
