import { z } from 'zod'
import type { InputFault } from '../kernel/failures.ts'
import { type JsonValue, pointerTo } from '../kernel/json.ts'
import { type Address, type Component, type ConfigKey, rootScope } from './address.ts'

/** A setting of this service itself: its address, the values it takes, and the default that ships. */
export type Tunable<T extends JsonValue> = Readonly<{
  address: Address
  schema: z.ZodType<T>
  shipped: T
}>

/** At most `limit` requests in any `windowSeconds`. */
export type RateLimit = Readonly<{ limit: number; windowSeconds: number }>

type ThresholdRule = Readonly<{ threshold: string; window: string; channels: readonly string[] }>

/** When to raise an alert, and where. Percentages as `99.9%`, windows as `5m`. */
export type AlertRules = Readonly<{
  degradation: ThresholdRule
  errors: ThresholdRule
  resources: Readonly<{ cpu: string; memory: string; disk: string; channels: readonly string[] }>
}>

/** Which claim of a token names roles, and the permissions that each of them stands for. */
export type TokenRoles = Readonly<{ claim: string; permissions: Readonly<Record<string, readonly string[]>> }>

/** One token by its id, or all that a client was issued before an instant (RFC 3339). */
export type TokenRevocation = Readonly<{ jti: string }> | Readonly<{ client: string; issuedBefore: string }>

/** How much an instance takes on at a time before it answers 503. */
export type LoadLimits = Readonly<{
  /** Requests in work; no single route has more than half of them. */
  inFlight: number
  /** Requests that wait for a place among them. */
  queued: number
  /** How long one waits at most. */
  queueMs: number
  /** How much work may lie before a request in its turn of the event loop while the instance is overloaded. */
  turnMs: number
  /** Streams and long polls that stay open. */
  streams: number
}>

export type RecoveryObjectives = Readonly<{ rtoSeconds: number; rpoSeconds: number; mttrSeconds: number }>

const hour = 3600
const rateLimit = z.strictObject({ limit: z.int().min(1).max(1_000_000_000), windowSeconds: z.int().min(1).max(86_400) })
const oneThousandIn15Minutes: RateLimit = { limit: 1000, windowSeconds: 900 }
const text = z.string().min(1).max(300)
const tokenRoles = z.strictObject({ claim: text, permissions: z.record(text, z.array(z.string().regex(/^[a-z:]{1,40}$/)).max(50)) })
const tokenRevocations = z.array(
  z.union([z.strictObject({ jti: text }), z.strictObject({ client: z.string().min(1).max(600), issuedBefore: z.iso.datetime() })]),
)
const loadLimits = z.strictObject({
  inFlight: z.int().min(2).max(100_000),
  queued: z.int().min(0).max(100_000),
  queueMs: z.int().min(1).max(10_000),
  turnMs: z.int().min(1).max(10_000),
  streams: z.int().min(1).max(1_000_000),
})
const retrySchedule = z
  .array(
    z
      .int()
      .min(0)
      .max(48 * hour),
  )
  .min(1)
  .max(32)
const percentage = z.string().regex(/^\d{1,3}(?:\.\d{1,4})?%$/)
const channels = z.array(z.enum(['slack', 'email', 'pager', 'dashboard']))
const thresholdRule = z.strictObject({ threshold: percentage, window: z.string().regex(/^\d{1,4}[smhd]$/), channels })
const alertRules = z.strictObject({
  degradation: thresholdRule,
  errors: thresholdRule,
  resources: z.strictObject({ cpu: percentage, memory: percentage, disk: percentage, channels }),
})
const objectives = z.strictObject({ rtoSeconds: z.int().min(1), rpoSeconds: z.int().min(1), mttrSeconds: z.int().min(1) })

/** Every setting of the service itself; a change is live without a restart. */
export const tunables: Readonly<{
  rateLimitPerIp: Tunable<RateLimit>
  rateLimitPerClient: Tunable<RateLimit>
  apiKeyLifetimeDays: Tunable<number>
  apiKeyOverlapDays: Tunable<number>
  tokenRoles: Tunable<TokenRoles>
  tokenRevocations: Tunable<readonly TokenRevocation[]>
  loadLimits: Tunable<LoadLimits>
  relayLeaseMs: Tunable<number>
  webhookRetryScheduleSeconds: Tunable<readonly number[]>
  webhookTimeoutMs: Tunable<number>
  alertRules: Tunable<AlertRules>
  recoveryObjectives: Tunable<RecoveryObjectives>
}> = {
  rateLimitPerIp: tunable('security', 'rate-limit.per-ip', rateLimit, oneThousandIn15Minutes),
  rateLimitPerClient: tunable('security', 'rate-limit.per-client', rateLimit, oneThousandIn15Minutes),
  apiKeyLifetimeDays: tunable('security', 'api-key.lifetime-days', z.int().min(1).max(365), 90),
  apiKeyOverlapDays: tunable('security', 'api-key.overlap-days', z.int().min(1).max(30), 7),
  tokenRoles: tunable<TokenRoles>('security', 'token.roles', tokenRoles, { claim: 'roles', permissions: {} }),
  tokenRevocations: tunable<readonly TokenRevocation[]>('security', 'token.revocations', tokenRevocations, []),
  loadLimits: tunable('security', 'load-limits', loadLimits, { inFlight: 256, queued: 128, queueMs: 50, turnMs: 5, streams: 20_000 }),
  relayLeaseMs: tunable('delivery', 'relay.lease-ms', z.int().min(1000).max(600_000), 10_000),
  webhookRetryScheduleSeconds: tunable('delivery', 'webhook.retry-schedule-seconds', retrySchedule, [
    0,
    5,
    300,
    1800,
    2 * hour,
    5 * hour,
    10 * hour,
    14 * hour,
    20 * hour,
    24 * hour,
  ]),
  webhookTimeoutMs: tunable('delivery', 'webhook.timeout-ms', z.int().min(100).max(60_000), 15_000),
  alertRules: tunable('monitoring', 'alert-rules', alertRules, {
    degradation: { threshold: '99.9%', window: '5m', channels: ['slack', 'email'] },
    errors: { threshold: '1%', window: '1m', channels: ['slack', 'pager'] },
    resources: { cpu: '80%', memory: '85%', disk: '90%', channels: ['email', 'dashboard'] },
  }),
  recoveryObjectives: tunable('recovery', 'objectives', objectives, { rtoSeconds: 4 * hour, rpoSeconds: 900, mttrSeconds: 1800 }),
}

const byName: ReadonlyMap<string, Tunable<JsonValue>> = new Map(
  Object.values(tunables).map((each) => [nameOf(each.address.component, each.address.key), each as Tunable<JsonValue>] as const),
)

/** The default that ships for a setting, or `undefined`. */
export function shippedDefault(component: Component, key: ConfigKey): JsonValue | undefined {
  return byName.get(nameOf(component, key))?.shipped
}

/** Every shipped default of a component, by key. */
export function shippedDefaultsOf(component: Component): ReadonlyMap<ConfigKey, JsonValue> {
  const own = [...byName.values()].filter(({ address }) => address.component === component)
  return new Map(own.map(({ address, shipped }) => [address.key, shipped]))
}

/** The system components, by name. */
export const systemComponents: readonly Component[] = [...new Set([...byName.values()].map(({ address }) => address.component))].sort()

/** What is wrong with a resolved value of a tunable; nothing for settings of other components. */
export function tunableFaults(component: Component, key: ConfigKey, resolved: JsonValue): readonly InputFault[] {
  const parsed = byName.get(nameOf(component, key))?.schema.safeParse(resolved)
  if (parsed === undefined || parsed.success) return []
  return parsed.error.issues.map(({ path, code, message }) => ({
    pointer: path.reduce<string>((pointer, token) => pointerTo(pointer, String(token)), ''),
    code: code.replaceAll('_', '-'),
    message,
  }))
}

function tunable<T extends JsonValue>(component: string, key: string, schema: z.ZodType<T>, shipped: T): Tunable<T> {
  return { address: { component: component as Component, key: key as ConfigKey, scope: rootScope }, schema, shipped }
}

function nameOf(component: string, key: string): string {
  return `${component}/${key}`
}
