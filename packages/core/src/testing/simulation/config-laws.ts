import { select } from '../../config/changes.ts'
import { type EntryVersion, sameAddress } from '../../config/index.ts'
import { checkPrecondition } from '../../config/precondition.ts'
import { jsonEquals } from '../../kernel/json.ts'
import type { History, Violation, WatchRecord, WriteRecord } from './history.ts'
import { pool } from './pool.ts'
import type { Truth } from './truth.ts'

/** What the clients were told, held against what the store holds in the end. */
export function configViolations(history: History, truth: Truth): readonly Violation[] {
  return [
    ...revisionViolations(truth),
    ...writeViolations(history.writes, truth),
    ...readViolations(history, truth),
    ...history.watches.flatMap((watch) => watchViolations(watch, truth)),
  ]
}

function revisionViolations({ units, head, versions }: Truth): readonly Violation[] {
  const found: Violation[] = []
  units.forEach(({ revision }, index) => {
    if (revision !== index + 1) found.push({ law: 'L1', detail: `unit ${index + 1} has revision ${revision}` })
  })
  if (units.length !== head) found.push({ law: 'L1', detail: `${units.length} units up to head ${head}` })
  versions.forEach((version, index) => {
    const before = versions[index - 1]
    if (before !== undefined && before.recordedAt > version.recordedAt) {
      found.push({ law: 'L1', detail: `revision ${version.revision} was recorded before ${before.revision}` })
    }
  })
  return found
}

/** L0: once if acknowledged, never if refused, at most once if unknown. L2: over exactly what the writer had seen. */
function writeViolations(writes: readonly WriteRecord[], { versions }: Truth): readonly Violation[] {
  const byToken = Map.groupBy(versions, ({ reason }) => reason)
  return writes.flatMap((write): readonly Violation[] => {
    const made = byToken.get(write.token) ?? []
    const [effect] = made
    if (made.length > 1) return [{ law: 'L0', detail: `${write.token} took effect ${made.length} times` }]
    if (write.outcome.kind === 'refused' && effect !== undefined)
      return [{ law: 'L0', detail: `${write.token} was refused and took effect` }]
    if (write.outcome.kind === 'acknowledged' && effect?.revision !== write.outcome.version.revision) {
      return [{ law: 'L0', detail: `${write.token} was acknowledged at ${write.outcome.version.revision}, and is at ${effect?.revision}` }]
    }
    return effect === undefined || checkPrecondition(write.precondition, predecessor(versions, effect)).isOk()
      ? []
      : [{ law: 'L2', detail: `${write.token} won at version ${effect.version} although its precondition did not hold` }]
  })
}

function predecessor(versions: readonly EntryVersion[], version: EntryVersion): EntryVersion | null {
  return versions.find((each) => sameAddress(each, version) && each.version === version.version - 1) ?? null
}

function readViolations({ reads, snapshots }: History, truth: Truth): readonly Violation[] {
  const found: Violation[] = []
  for (const { at, revision, value } of reads) {
    const expected = truth.resolvedAt(at, revision)
    if (expected === null || !jsonEquals(expected.value, value)) {
      found.push({ law: 'L7', detail: `a read of ${at.component}/${at.key}${at.scope} at ${revision} showed a value of another revision` })
    }
  }
  for (const { component, scope, revision, values } of snapshots) {
    for (const at of pool.addresses.filter((each) => each.component === component && each.scope === scope)) {
      const expected = truth.resolvedAt(at, revision)
      const shown = values.get(at.key)
      const agrees = expected === null ? shown === undefined : shown !== undefined && jsonEquals(expected.value, shown)
      if (!agrees)
        found.push({ law: 'L1', detail: `a snapshot of ${component} at ${revision} does not show exactly the units 1..${revision}` })
    }
  }
  return found
}

/** L6: every matching unit from the start to the cursor exactly once, in order; nothing else. */
function watchViolations(watch: WatchRecord, { units, head }: Truth): readonly Violation[] {
  const { revision } = watch.cursor
  const expected = units.flatMap((unit) => {
    const selected = unit.revision > watch.start.revision && unit.revision <= revision ? select(unit, watch.selection) : null
    return selected === null ? [] : [selected]
  })
  const heard = JSON.stringify(watch.units)
  if (heard !== JSON.stringify(expected)) {
    const list = (all: readonly { revision: number }[]): string => all.map((unit) => unit.revision).join(' ')
    return [{ law: 'L6', detail: `${watch.name} heard ${list(watch.units)} instead of ${list(expected)}` }]
  }
  return revision < head ? [{ law: 'L6', detail: `${watch.name} stopped at ${revision} of ${head}` }] : []
}
