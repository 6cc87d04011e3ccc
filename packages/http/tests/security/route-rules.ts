import type { Access, Confinement } from '../../src/server/endpoint.ts'

/**
 * Who may call a route, and what holds back those who may. Said here a second time, apart from the routes themselves: a route
 * that is new, or changes its mind, fails the suite until somebody has thought about it.
 */
export type Rule = Readonly<{
  access: Access
  confinement: Confinement
  /** Whose objects the path names. */
  object?: ObjectKind
  /** Takes `?scope=`, or has none and shows less to those who are confined. */
  scoped?: 'query' | 'filtered'
  /** Something that the route takes, where it takes a body. */
  body?: unknown
  /** The names of the path, where they are no ids. */
  names?: Readonly<Record<string, string>>
  /** Parameters that it does not do without. */
  query?: string
}>

export type ObjectKind = 'payment' | 'subscription' | 'delivery' | 'api-key'

const open: Rule = { access: null, confinement: 'open' }
const entry = { component: 'payments', key: 'limit' }
const bill = { amount: 1250, currency: 'USD', payee: { id: 'water-7', name: 'City Water' }, userId: 'user-1' }
const configRead: Rule = { access: 'config:read', confinement: 'scope', scoped: 'query', names: entry }
const configWrite: Rule = { access: 'config:write', confinement: 'scope', scoped: 'query', names: entry }
const readPayment: Rule = { access: 'payments:read', confinement: 'owner', object: 'payment' }
const writePayment: Rule = { access: 'payments:write', confinement: 'owner', object: 'payment' }
const readHook: Rule = { access: 'webhooks:read', confinement: 'owner', object: 'subscription' }
const writeHook: Rule = { access: 'webhooks:write', confinement: 'owner', object: 'subscription' }
const readDelivery: Rule = { access: 'webhooks:read', confinement: 'owner', object: 'delivery' }
const readKey: Rule = { access: 'keys:read', confinement: 'owner', object: 'api-key' }
const writeKey: Rule = { access: 'keys:write', confinement: 'owner', object: 'api-key' }
const readEvents: Rule = { access: 'events:read', confinement: 'permission' }
const writeEvents: Rule = { access: 'events:write', confinement: 'permission' }
const audit: Rule = { access: 'audit:read', confinement: 'permission' }

export const rules: Readonly<Record<string, Rule>> = {
  'GET /health': open,
  'GET /health/live': open,
  'GET /health/ready': open,
  'GET /health/database': open,
  'GET /health/cache': open,
  'GET /health/queue': open,
  'GET /metrics': { access: 'monitoring:read', confinement: 'permission' },
  'GET /problems/{code}': { ...open, names: { code: 'not-found' } },
  'GET /config': { ...configRead, scoped: 'filtered' },
  'GET /config/changes': { ...configRead, scoped: 'query' },
  'GET /config/watch': { ...configRead, scoped: 'query' },
  'GET /config/{component}': configRead,
  'GET /config/{component}/{key}': configRead,
  'PUT /config/{component}/{key}': { ...configWrite, body: { value: 3, reason: 'because' } },
  'DELETE /config/{component}/{key}': configWrite,
  'POST /config/{component}/{key}/rollback': { ...configWrite, body: { toVersion: 1, reason: 'because' } },
  'GET /config/{component}/{key}/versions': configRead,
  'GET /config/{component}/{key}/versions/{n}': { ...configRead, names: { ...entry, n: '1' } },
  'GET /config/{component}/{key}/diff': { ...configRead, query: 'from=1&to=1' },
  'GET /payments': { access: 'payments:read', confinement: 'owner' },
  'POST /payments': { access: 'payments:write', confinement: 'owner', body: bill },
  'GET /payments/{id}': readPayment,
  'GET /payments/{id}/status': readPayment,
  'GET /payments/{id}/verify': readPayment,
  'GET /payments/{id}/history': readPayment,
  'PATCH /payments/{id}': { ...writePayment, body: { amount: 1 } },
  'DELETE /payments/{id}': writePayment,
  'POST /payments/{id}/process': writePayment,
  'POST /webhooks/payment-status': { access: null, confinement: 'signature', body: { status: 'COMPLETED' } },
  'GET /webhooks/subscriptions': { access: 'webhooks:read', confinement: 'owner' },
  'POST /webhooks/subscriptions': {
    access: 'webhooks:write',
    confinement: 'owner',
    body: { url: 'https://example.com/hooks', types: ['PAYMENT_CREATED'] },
  },
  'GET /webhooks/subscriptions/{id}': readHook,
  'PATCH /webhooks/subscriptions/{id}': { ...writeHook, body: { description: 'mine now' } },
  'DELETE /webhooks/subscriptions/{id}': writeHook,
  'POST /webhooks/subscriptions/{id}/rotate-secret': writeHook,
  'POST /webhooks/subscriptions/{id}/test': writeHook,
  'GET /webhooks/deliveries': { access: 'webhooks:read', confinement: 'owner' },
  'GET /webhooks/deliveries/{id}': readDelivery,
  'POST /webhooks/deliveries/{id}/replay': { ...readDelivery, access: 'webhooks:write' },
  'GET /api-keys': { access: 'keys:read', confinement: 'owner' },
  'POST /api-keys': { access: 'keys:write', confinement: 'owner', body: { name: 'till', permissions: ['keys:write'] } },
  'GET /api-keys/{id}': readKey,
  'POST /api-keys/{id}/rotate': writeKey,
  'DELETE /api-keys/{id}': writeKey,
  'GET /events/dead-letters': readEvents,
  'GET /events/dead-letters/{id}': readEvents,
  'POST /events/dead-letters/{id}/replay': writeEvents,
  'DELETE /events/dead-letters/{id}': writeEvents,
  'GET /events/streams': readEvents,
  'GET /events/streams/{id}': readEvents,
  'POST /events/streams/{id}/unblock': writeEvents,
  'GET /users/verify': { access: 'any-bearer', confinement: 'self' },
  'GET /audit': audit,
  'GET /audit/verify': audit,
  'GET /openapi.json': open,
  'GET /asyncapi.json': open,
  'GET /payment-service/openapi.json': open,
  'GET /user-service/openapi.json': open,
  'GET /docs': open,
  'GET /docs/{asset}': { ...open, names: { asset: 'start.js' } },
}
