import type { Result } from 'neverthrow'
import { everything } from '../../config/changes.ts'
import { type Address, type EntryVersion, type Scope, scopeChain, type UnitChanges } from '../../config/index.ts'
import { type Resolution, resolve } from '../../config/resolution.ts'
import { type Revision, zeroRevision } from '../../kernel/unit-of-work.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'

/** All that a store holds in the end, read without faults. */
export type Truth = Readonly<{
  head: Revision
  units: readonly UnitChanges[]
  /** In the order of their revisions. */
  versions: readonly EntryVersion[]
  /** What counted at an address at a revision, by the plain definition. */
  resolvedAt(at: Address, revision: Revision): Resolution | null
}>

export async function readTruth({ configStore }: StorePorts): Promise<Truth> {
  const { revision: head } = sure(await configStore.head())
  const units: UnitChanges[] = []
  for (let through = zeroRevision; through < head; ) {
    const read = sure(await configStore.changes(through, everything, 1000))
    units.push(...read.units)
    if (read.through <= through) break
    through = read.through
  }
  const versions: EntryVersion[] = []
  for (const change of units.flatMap((unit) => unit.changes)) {
    const version = sure(await configStore.version(change, change.version))
    if (version !== null) versions.push(version)
  }
  return { head, units, versions, resolvedAt: (at, revision) => resolve(undefined, chainAt(versions, at, revision)) }
}

function chainAt(versions: readonly EntryVersion[], at: Address, revision: Revision): readonly EntryVersion[] {
  const own = versions.filter((each) => each.component === at.component && each.key === at.key && each.revision <= revision)
  return scopeChain(at.scope).flatMap((scope: Scope) => own.findLast((each) => each.scope === scope) ?? [])
}

export function sure<T, E>(result: Result<T, E>): T {
  if (result.isErr()) throw new Error(`the store failed without a fault: ${JSON.stringify(result.error)}`)
  return result.value
}
