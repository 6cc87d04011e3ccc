import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { FastifyReply, FastifyRequest } from 'fastify'

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength }) as const

/** What the service asks of a payment, as a schema of Fastify. */
export const paymentSchema = {
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

export type CreatePayment = {
  Body: Readonly<{
    amount: number
    currency: string
    payee: Readonly<{ id: string; name: string }>
    userId: string
    reference?: string | null
    metadata?: Readonly<Record<string, string>>
  }>
}

/** One durable transaction of prepared statements for each request, which inserts the payment and its event. */
export type PaymentHandler = Disposable &
  Readonly<{ create: (request: FastifyRequest<CreatePayment>, reply: FastifyReply) => FastifyReply }>

export function paymentHandler(path: string): PaymentHandler {
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
  return {
    create: ({ body }, reply) => {
      const { amount, currency, payee, userId, reference = null, metadata = {} } = body
      const [id, now] = [randomUUID(), Date.now()]
      const timestamp = new Date(now).toISOString()
      const payload = JSON.stringify({ id, status: 'PENDING', amount, timestamp })
      const [payeeText, metadataText] = [JSON.stringify(payee), JSON.stringify(metadata)]
      begin.run()
      try {
        addPayment.run(id, 'bench', 'PENDING', amount, currency, payeeText, userId, reference, metadataText, 1, now, now)
        addEvent.run(`payment-${id}`, 1, randomUUID(), 'PAYMENT_CREATED', payload, now)
        commit.run()
      } catch (error) {
        rollback.run()
        throw error
      }
      const payment = { id, client: 'bench', status: 'PENDING', amount, currency, payee, userId, reference, metadata, version: 1 }
      return reply
        .code(201)
        .header('location', `/payments/${id}`)
        .header('etag', '"1"')
        .send({ ...payment, createdAt: timestamp, updatedAt: timestamp, failure: null, remoteReference: null })
    },
    [Symbol.dispose]: () => database.close(),
  }
}
