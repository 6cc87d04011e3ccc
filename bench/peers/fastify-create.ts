/**
 * A Fastify service as its users build it, creating payments: a schema for the body, and one durable transaction of
 * prepared statements for each request, which inserts the payment and its event. It verifies no token, keeps no
 * Idempotency-Key and no history, relays nothing and writes no log: all of that the service does besides.
 */
import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import fastify from 'fastify'

const [path = ''] = process.argv.slice(2)
const database = new DatabaseSync(path)
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 3000;
  CREATE TABLE payments (id TEXT PRIMARY KEY, client TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    payee TEXT NOT NULL, user_id TEXT NOT NULL, reference TEXT, metadata TEXT NOT NULL, version INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE events (stream TEXT NOT NULL, sequence INTEGER NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL,
    occurred_at INTEGER NOT NULL, PRIMARY KEY (stream, sequence)) WITHOUT ROWID`)
const begin = database.prepare('BEGIN IMMEDIATE')
const commit = database.prepare('COMMIT')
const rollback = database.prepare('ROLLBACK')
const addPayment = database.prepare('INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
const addEvent = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)')

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength }) as const
const schema = {
  headers: { type: 'object', required: ['idempotency-key'], properties: { 'idempotency-key': text(255) } },
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['amount', 'currency', 'payee', 'userId'],
    properties: {
      amount: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      payee: { type: 'object', additionalProperties: false, required: ['id', 'name'], properties: { id: text(128), name: text(200) } },
      userId: text(128),
      reference: { ...text(128), nullable: true },
      metadata: { type: 'object', maxProperties: 20, additionalProperties: { type: 'string' } },
    },
  },
} as const

type Create = {
  Body: Readonly<{
    amount: number
    currency: string
    payee: Readonly<{ id: string; name: string }>
    userId: string
    reference?: string | null
    metadata?: Readonly<Record<string, string>>
  }>
}

const app = fastify({ logger: false })
app.post<Create>('/payments', { schema }, (request, reply) => {
  const { amount, currency, payee, userId, reference = null, metadata = {} } = request.body
  const [id, now] = [randomUUID(), Date.now()]
  const timestamp = new Date(now).toISOString()
  const payload = JSON.stringify({ id, status: 'PENDING', amount, timestamp })
  begin.run()
  try {
    addPayment.run(
      id,
      'bench',
      'PENDING',
      amount,
      currency,
      JSON.stringify(payee),
      userId,
      reference,
      JSON.stringify(metadata),
      1,
      now,
      now,
    )
    addEvent.run(`payment-${id}`, 1, randomUUID(), 'PAYMENT_CREATED', payload, now)
    commit.run()
  } catch (error) {
    rollback.run()
    throw error
  }
  const body = { id, client: 'bench', status: 'PENDING', amount, currency, payee, userId, reference, metadata, version: 1 }
  return reply
    .code(201)
    .header('location', `/payments/${id}`)
    .header('etag', '"1"')
    .send({ ...body, createdAt: timestamp, updatedAt: timestamp, failure: null, remoteReference: null })
})
const address = await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`listening on ${address}\n`)
process.once('SIGTERM', () => {
  void app.close().then(() => database.close())
})
