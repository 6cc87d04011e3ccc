import type { JsonValue } from '../kernel/json.ts'
import type { Log } from '../kernel/log.ts'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { GetConfig } from './get-config.ts'
import type { Tunable } from './shipped-defaults.ts'

/** The value of a setting of the service itself, as it is now. Falls back to the shipped default; never fails. */
export type ReadTunable = <T extends JsonValue>(tunable: Tunable<T>) => Promise<T>

export function readTunable(get: GetConfig, log: Log): ReadTunable {
  const reported = new Map<string, Revision>()
  return async ({ address, schema, shipped }) => {
    const entry = await get(address)
    if (entry.isErr()) return shipped
    const parsed = schema.safeParse(entry.value.value)
    if (parsed.success) return parsed.data
    const name = `${address.component}/${address.key}`
    if (reported.get(name) === entry.value.revision) return shipped
    reported.set(name, entry.value.revision)
    log.write('error', 'a stored setting does not fit its schema; the shipped default counts', {
      component: address.component,
      key: address.key,
    })
    return shipped
  }
}
