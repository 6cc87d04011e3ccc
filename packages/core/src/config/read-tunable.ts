import type { JsonValue } from '../kernel/json.ts'
import type { Log } from '../kernel/log.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { GetConfig } from './get-config.ts'
import type { Tunable } from './shipped-defaults.ts'

/**
 * The value of a setting of the service itself, as it is now. Where it cannot be read, the value read last counts, and the
 * shipped default where there is none; never fails.
 */
export type ReadTunable = <T extends JsonValue>(tunable: Tunable<T>) => Promise<T>

export function readTunable(get: GetConfig, log: Log): ReadTunable {
  const reported = new Map<string, Revision>()
  const read = new Map<string, JsonValue>()
  return async ({ address, schema, shipped }) => {
    const name = `${address.component}/${address.key}`
    const entry = await get(address)
    // Of this very setting, so of its type.
    if (entry.isErr()) return (read.get(name) ?? shipped) as typeof shipped
    const parsed = schema.safeParse(entry.value.value)
    if (parsed.success) {
      read.set(name, parsed.data)
      return parsed.data
    }
    if (reported.get(name) === entry.value.revision) return shipped
    reported.set(name, entry.value.revision)
    log.write('error', 'a stored setting does not fit its schema; the shipped default counts', {
      component: address.component,
      key: address.key,
    })
    return shipped
  }
}
