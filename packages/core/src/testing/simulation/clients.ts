import type { Address, ConfigWatch, Precondition, Scope, WatchConfig, WatchSelection } from '../../config/index.ts'
import { entryEtag, formatCursor, watchSelection } from '../../config/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { JsonValue } from '../../kernel/json.ts'
import type { Random } from '../../kernel/random.ts'
import type { History, WatchRecord, WriteRecord } from './history.ts'
import type { Instance } from './instance.ts'
import { patiently } from './patience.ts'
import { pool } from './pool.ts'
import type { Sightings } from './sightings.ts'

/** What a client of the world knows. */
export type ClientWorld = Readonly<{
  clock: Clock
  history: History
  sightings: Sightings
  pauseMs: number
  /** A living instance, or `null` while there is none. */
  anyInstance: (random: Random) => Instance | null
  isFaulty: () => boolean
  isOver: () => boolean
  trace: (line: () => string) => void
}>

/** Writes with what it last saw, sometimes long ago, and notes what it was told. */
export async function runWriter(world: ClientWorld, name: string, random: Random): Promise<void> {
  const remembered = new Map<string, Precondition>()
  for (let count = 1; world.isFaulty(); count += 1) {
    await world.clock.sleep(1 + Math.floor(random.fraction() * world.pauseMs))
    const instance = world.anyInstance(random)
    if (instance === null) continue
    const at = pool.anyAddress(random)
    const place = `${at.component}/${at.key}${at.scope}`
    const precondition = await precondit(world, instance, at, random.fraction() < 0.2 ? remembered.get(place) : undefined)
    if (precondition === null) continue
    remembered.set(place, precondition)
    const record: WriteRecord = { token: `${name} write ${count}`, at, precondition, outcome: { kind: 'unknown' } }
    world.history.writes.push(record)
    await write(world, instance, record, random)
    world.trace(() => `${record.token} at ${place} on ${instance.name}: ${record.outcome.kind}`)
  }
}

async function precondit(world: ClientWorld, instance: Instance, at: Address, old: Precondition | undefined): Promise<Precondition | null> {
  if (old !== undefined) return old
  const entry = await patiently(world.clock, instance.core.config.entry(at))
  if (entry === null) return null
  if (entry.isOk()) return { kind: 'match', etags: [entryEtag(entry.value)] }
  return entry.error.kind === 'entry-not-found' ? { kind: 'absent' } : null
}

async function write({ clock, sightings }: ClientWorld, instance: Instance, record: WriteRecord, random: Random): Promise<void> {
  const { config } = instance.core
  const caller = { client: 'simulation', requestId: record.token, traceparent: null }
  const command = { ...record.at, precondition: record.precondition, reason: record.token, caller }
  const drawn = random.fraction()
  const call = async (): Promise<Awaited<ReturnType<typeof config.rollback>>> => {
    if (drawn < 0.7) return await config.put({ ...command, value: anyValue(record.token, random) })
    if (drawn < 0.85) return await config.unset(command)
    return await config.rollback({ ...command, toVersion: 1 + Math.floor(random.fraction() * 3) })
  }
  const answer = await patiently(clock, call())
  if (answer === null) return
  if (answer.isOk()) {
    record.outcome = { kind: 'acknowledged', version: answer.value }
    sightings.wrote(instance.name, record.at, answer.value.revision)
    return
  }
  // A store that is away may have lost the answer rather than the write.
  record.outcome = { kind: answer.error.kind === 'store-unavailable' ? 'unknown' : 'refused' }
}

/** Objects that merge across scopes, and values that replace them. */
function anyValue(token: string, random: Random): JsonValue {
  const drawn = random.fraction()
  if (drawn < 0.2) return token
  const name = ['a', 'b', 'c'][Math.floor(random.fraction() * 3)] ?? 'a'
  return drawn < 0.6 ? { [name]: token } : { nested: { [name]: token, list: [drawn] } }
}

/** Reads single settings and whole snapshots, and holds each against what the same instance showed before. */
export async function runReader(world: ClientWorld, random: Random): Promise<void> {
  while (world.isFaulty()) {
    await world.clock.sleep(1 + Math.floor((random.fraction() * world.pauseMs) / 2))
    const instance = world.anyInstance(random)
    if (instance === null) continue
    const at = pool.anyAddress(random)
    const drawn = random.fraction()
    if (drawn < 0.2) await readSnapshot(world, instance, at)
    else if (drawn < 0.35) await readEntry(world, instance, at)
    else await readSetting(world, instance, at)
  }
}

export async function readSetting({ clock, history, sightings }: ClientWorld, instance: Instance, at: Address): Promise<void> {
  const floor = sightings.floor(instance.name, at)
  const read = await patiently(clock, instance.core.config.get(at))
  if (read === null || read.isErr()) return
  const { revision, value } = read.value
  if (revision < floor) {
    const place = `${at.component}/${at.key}${at.scope}`
    history.violations.push({ law: 'L7', detail: `${instance.name} showed ${place} at revision ${revision} after ${floor}` })
  }
  sightings.saw(instance.name, at, revision)
  history.reads.push({ at, revision, value })
}

async function readSnapshot({ clock, history, sightings }: ClientWorld, instance: Instance, { component, scope }: Address): Promise<void> {
  const floor = sightings.acknowledged()
  const read = await patiently(clock, instance.core.config.snapshot(component, scope))
  if (read === null || read.isErr()) return
  const { revision, entries } = read.value
  if (revision < floor) history.violations.push({ law: 'L1', detail: `a snapshot at ${revision} began after ${floor} was acknowledged` })
  for (const entry of entries) sightings.saw(instance.name, entry, entry.revision)
  history.snapshots.push({ component, scope, revision, values: new Map(entries.map(({ key, value }) => [key, value])) })
}

async function readEntry({ clock, sightings }: ClientWorld, instance: Instance, at: Address): Promise<void> {
  const read = await patiently(clock, instance.core.config.entry(at))
  if (read?.isOk() === true) sightings.wrote(instance.name, at, read.value.revision)
}

/** Watches, and reconnects at will with the cursor of what it has applied. */
export async function runWatcher(world: ClientWorld, name: string, random: Random): Promise<void> {
  const selection = anySelection(random)
  let record: WatchRecord | null = null
  while (!world.isOver()) {
    const instance = world.anyInstance(random)
    if (instance === null) {
      await world.clock.sleep(100)
      continue
    }
    const since: string | null = record === null ? null : formatCursor(record.cursor)
    const opened: Awaited<ReturnType<WatchConfig>> | null = await patiently(world.clock, instance.core.config.watch(selection, since))
    if (opened?.isOk() !== true) {
      if (opened?.isErr() === true && opened.error.kind !== 'store-unavailable') refusedCursor(world, name, opened.error.kind)
      await world.clock.sleep(50)
      continue
    }
    if (record === null) {
      record = { name, selection, start: opened.value.cursor(), units: [], cursor: opened.value.cursor() }
      world.history.watches.push(record)
    }
    await followUntilCut(world, instance, opened.value, record, random)
  }
}

async function followUntilCut(
  world: ClientWorld,
  instance: Instance,
  watch: ConfigWatch,
  record: WatchRecord,
  random: Random,
): Promise<void> {
  for (;;) {
    const heard = await patiently(world.clock, watch.next(5000))
    if (heard === null || world.isOver()) return watch.close()
    if (heard.isErr()) {
      if (heard.error.kind === 'cursor-gone') refusedCursor(world, record.name, heard.error.kind)
      return
    }
    record.units.push(...heard.value.units)
    for (const { revision, changes } of heard.value.units)
      for (const change of changes) world.sightings.wrote(instance.name, change, revision)
    record.cursor = heard.value.cursor
    if (world.isFaulty() && random.fraction() < 0.2) return watch.close()
  }
}

function refusedCursor({ history }: ClientWorld, name: string, kind: string): void {
  history.violations.push({ law: 'L6', detail: `${name} was refused its own cursor: ${kind}` })
}

function anySelection(random: Random): WatchSelection {
  const drawn = random.fraction()
  const { component, scope } = pool.anyAddress(random)
  if (drawn < 0.4) return watchSelection(null, null)
  return watchSelection(drawn < 0.7 ? component : null, drawn > 0.6 ? (scope as Scope) : null)
}
