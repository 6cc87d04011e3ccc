import { secretValue } from '@cbp/core'
import { openLog } from '../../src/server/log.ts'
import type { RequestRecord } from '../../src/server/pipeline.ts'

/** Logs what should never be readable, as careless code would. */
const { log, request, flush } = openLog('info', false)
const secret = secretValue('hunter2-hunter2')
log.write('warn', `failed for jane@example.com with ${String(secret)}`, {
  reason: 'amqp://user:hunter2-hunter2@broker refused',
  password: 'hunter2-hunter2',
  secret: secret as never,
  status: 503,
})
request({
  method: 'GET',
  path: '/users/jane%40example.com/4111111111111111',
  route: 'unmatched',
  status: 404,
  durationMs: 1.5,
  bytes: 3,
  requestId: '0189a5c2-1234-7abc-8def-0123456789ab',
  traceparent: null,
  client: 'issuer|shop',
  replayed: false,
} as RequestRecord)
flush()
