import { describe, expect, it } from 'vitest'
import { type JsonValue, jsonEquals } from '../kernel/json.ts'
import { type Component, type ConfigKey, parseComponent, parseKey, rootScope } from './address.ts'
import { checkValue } from './entry.ts'
import { shippedDefault, shippedDefaultsOf, systemComponents, type Tunable, tunableFaults, tunables } from './shipped-defaults.ts'

const all = Object.entries(tunables) as unknown as readonly (readonly [string, Tunable<JsonValue>])[]

describe.each(all)('the tunable %s', (_name, { address, schema, shipped }) => {
  it('ships a default that its own schema takes, unchanged', () => {
    expect(schema.parse(shipped)).toEqual(shipped)
    expect(tunableFaults(address.component, address.key, shipped)).toEqual([])
  })

  it('ships a default that could be written as an entry', () => {
    expect(checkValue(shipped).isOk()).toBe(true)
  })

  it('lives at a valid address at the root', () => {
    expect([parseComponent(address.component).isOk(), parseKey(address.key).isOk(), address.scope]).toEqual([true, true, rootScope])
  })

  it('is found by its address', () => {
    expect(shippedDefault(address.component, address.key)).toBe(shipped)
    expect(shippedDefaultsOf(address.component).get(address.key)).toBe(shipped)
  })

  it.each([null, -1, 'x', { unknown: 1 }])('does not take %j', (value) => {
    expect(tunableFaults(address.component, address.key, value).length).toBeGreaterThan(0)
  })
})

describe('shipped defaults', () => {
  it('are those that are documented', () => {
    const documented: readonly (readonly [string, string, JsonValue])[] = [
      ['security', 'rate-limit.per-ip', { limit: 1000, windowSeconds: 900 }],
      ['security', 'rate-limit.per-client', { limit: 1000, windowSeconds: 900 }],
      ['security', 'api-key.lifetime-days', 90],
      ['security', 'api-key.overlap-days', 7],
      ['delivery', 'relay.lease-ms', 10_000],
      ['delivery', 'webhook.retry-schedule-seconds', [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]],
      ['delivery', 'webhook.timeout-ms', 15_000],
    ]
    for (const [component, key, value] of documented) {
      expect(jsonEquals(shippedDefault(component as Component, key as ConfigKey) ?? null, value)).toBe(true)
    }
  })

  it('have addresses of their own', () => {
    expect(new Set(all.map(([, { address }]) => `${address.component}/${address.key}`)).size).toBe(all.length)
  })

  it('name the system components in order', () => {
    expect(systemComponents).toEqual(['delivery', 'monitoring', 'recovery', 'security'])
  })

  it('leave other settings alone', () => {
    const [component, key] = ['payments' as Component, 'retry' as ConfigKey]
    expect(shippedDefault(component, key)).toBeUndefined()
    expect(shippedDefaultsOf(component).size).toBe(0)
    expect(tunableFaults(component, key, { anything: true })).toEqual([])
  })

  it('tell faults by pointer into the value', () => {
    const faults = tunableFaults('security' as Component, 'rate-limit.per-ip' as ConfigKey, { limit: 0, windowSeconds: 900 })
    expect(faults).toMatchObject([{ pointer: '/limit', code: 'too-small' }])
  })
})
