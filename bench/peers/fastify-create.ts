/**
 * A Fastify service as its users build it, creating payments: a schema for the body, and one durable transaction of
 * prepared statements for each request, which inserts the payment and its event. It verifies no token, keeps no
 * Idempotency-Key and no history, relays nothing and writes no log: all of that the service does besides.
 */
import fastify from 'fastify'
import { type CreatePayment, paymentHandler, paymentSchema } from '../lib/fastify-payments.ts'

const [path = ''] = process.argv.slice(2)
const payments = paymentHandler(path)
const app = fastify({ logger: false })
app.post<CreatePayment>('/payments', { schema: paymentSchema }, payments.create)
const address = await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`listening on ${address}\n`)
process.once('SIGTERM', () => {
  void app.close().then(() => payments[Symbol.dispose]())
})
