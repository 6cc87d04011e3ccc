import { createHmac } from 'node:crypto'
import type { Currency, Uuid } from '@cbp/core'
import { systemClock, systemRandom } from '../../src/assembly/platform/index.ts'
import { openSandboxPaymentService } from '../../src/clients/payment-service/sandbox/sandbox-payment-service.ts'
import { webhookTransport } from '../../src/clients/webhooks/webhook-transport.ts'

/** Instructs every attempt it is given, all at once, then sends callbacks until it is killed. Says `instructed` in between. */
const [path = '', url = '', mode = '', ...attempts] = process.argv.slice(2)

const transport = webhookTransport({ allowDevelopmentTargets: true })
const sandbox = await openSandboxPaymentService({
  path,
  clock: systemClock,
  random: systemRandom,
  mac: {
    hmacSha256: (key, message) => createHmac('sha256', Buffer.from(key, 'base64')).update(message).digest('base64'),
    equal: (left, right) => left === right,
  },
  secrets: () => [`whsec_${Buffer.alloc(32, 7).toString('base64')}`],
  callbackUrl: () => (url === '' ? null : url),
  post: transport.post,
  callbacks: { timeoutMs: 1000 },
  log: { write: () => undefined },
})
const answers = await Promise.all(
  attempts.map((attemptId) =>
    sandbox.instruct({
      paymentId: attemptId as Uuid,
      attemptId: attemptId as Uuid,
      amount: 1250,
      currency: 'USD' as Currency,
      payee: { id: 'payee-77', name: 'Ada Lovelace' },
      userId: 'user-1',
      reference: null,
      metadata: { sandbox: mode },
      notAfter: 4_000_000_000_000,
      traceparent: null,
    }),
  ),
)
process.stdout.write(
  answers.every((each) => each.isOk()) ? 'instructed\n' : `failed ${JSON.stringify(answers.find((each) => each.isErr()))}\n`,
)
const ended = new AbortController()
if (url === '') ended.abort()
await sandbox.run(ended.signal)
await sandbox.close()
await transport.close()
