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

export type RecoveryObjectives = Readonly<{ rtoSeconds: number; rpoSeconds: number; mttrSeconds: number }>

const hour = 3600
const rateLimit = z.strictObject({ limit: z.int().min(1).max(1_000_000), windowSeconds: z.int().min(1).max(86_400) })
const oneThousandIn15Minutes: RateLimit = { limit: 1000, windowSeconds: 900 }
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
  relayLeaseMs: Tunable<number>
  webhookRetryScheduleSeconds: Tunable<readonly number[]>
  webhookTimeoutMs: Tunable<number>
  alertRules: Tunable<AlertRules>
  recoveryObjectives: Tunable<RecoveryObjectives>
}> = {
  rateLimitPerIp: tunable('security', 'rate-limit.per-ip', rateLimit, oneThousandIn15Minutes),
  rateLimitPerClient: tunable('security', 'rate-limit.per-client', rateLimit, oneThousandIn15Minutes),
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
