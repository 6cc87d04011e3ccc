import type { Clock } from '../clock.ts'
import type { IdSource, Uuid } from '../ids.ts'
import { fakeEpochStart } from './fake-clock.ts'

type Options = Readonly<{
  clock?: Pick<Clock, 'now'>
  /** Sources with different numbers never make the same id. */
  node?: number
}>

/** UUIDv7s that are the same in every run: the time, then a counter, then the node. */
export function fakeIds({ clock, node = 0 }: Options = {}): IdSource {
  let counter = 0
  let newest = 0
  return {
    next(): Uuid {
      counter += 1
      newest = Math.max(newest, clock?.now() ?? fakeEpochStart)
      const time = hex(newest, 12)
      const count = hex(counter, 9)
      const tail = `${count.slice(6)}${hex(node, 9)}`
      return `${time.slice(0, 8)}-${time.slice(8)}-7${count.slice(0, 3)}-8${count.slice(3, 6)}-${tail}` as Uuid
    },
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
