import { randomBytes, randomUUID } from 'node:crypto'
import { chownSync, closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { err, ok, type Result } from 'neverthrow'
import { readRingFile } from './ring-file.ts'
import { parseRing, type RingEntry } from './ring-format.ts'

/** Makes changes to the file of a ring, each written whole or not at all. Reasons never carry a key. */
export type RingFile = Readonly<{
  /** The key that is to come next; it is added, and opens only, unless one waits there already. */
  addNext: () => Result<string, string>
  /** Puts the key that is to come next in front: from now on it seals. */
  promoteNext: () => Result<string, string>
  /** Removes keys other than the first. */
  remove: (ids: readonly string[]) => Result<void, string>
  /** The key that waits to come next. */
  next: () => Result<string | null, string>
}>

type Options = Readonly<{
  generate: boolean
  now: () => Date
  /** Tells keys of one day apart. */
  tag?: () => string
}>

const tagBytes = 4

export function ringFile(path: string, { generate, now, tag = () => randomBytes(tagBytes).toString('hex') }: Options): RingFile {
  const read = (): Result<readonly RingEntry[], string> => readRingFile(path, { generate }).andThen(parseRing)
  const nextOf = (entries: readonly RingEntry[]): string | null => entries.find(({ state }) => state === 'next')?.id ?? null
  const change = (make: (entries: readonly RingEntry[]) => readonly RingEntry[]): Result<readonly RingEntry[], string> =>
    read().andThen((entries) => {
      const changed = make(entries)
      return changed === entries ? ok(entries) : write(path, changed)
    })
  return {
    next: () => read().map(nextOf),
    addNext: () =>
      change((entries) => (nextOf(entries) === null ? [...entries, newEntry(entries, now(), tag)] : entries)).map(
        (entries) => nextOf(entries) ?? '',
      ),
    promoteNext: () =>
      change((entries) => {
        const next = entries.find(({ state }) => state === 'next')
        return next === undefined ? entries : [{ id: next.id, key: next.key }, ...entries.filter((each) => each !== next)]
      }).map(([first]) => first?.id ?? ''),
    remove: (ids) =>
      change(([first, ...others]) => [first as RingEntry, ...others.filter(({ id }) => !ids.includes(id))]).map(() => undefined),
  }
}

const keyBytes = 32

/**
 * Named by its day and by chance: a name must not come again, not even after its key was removed. What that one has sealed
 * would pass for sealed with the new one, and a copy kept for old backups could not be put back.
 */
function newEntry(entries: readonly RingEntry[], now: Date, tag: () => string): RingEntry {
  const day = `k${now.toISOString().slice(0, 10).replaceAll('-', '')}`
  const taken = new Set(entries.map(({ id }) => id))
  let id = `${day}-${tag()}`
  while (taken.has(id)) id = `${day}-${tag()}`
  const bytes = randomBytes(keyBytes)
  const key = bytes.toString('base64')
  bytes.fill(0)
  return { id, key, state: 'next' }
}

/** A new file in the place of the old: whoever reads meanwhile finds one of the two, whole. On disk before anything is sealed with it. */
function write(path: string, entries: readonly RingEntry[]): Result<readonly RingEntry[], string> {
  // Next to the file itself: in the place of a link it would be another file than the one that other instances follow.
  const target = targetOf(path)
  const own = `${target}.${randomUUID()}`
  const bytes = Buffer.from(`${JSON.stringify({ keys: entries }, null, 2)}\n`)
  try {
    writeFileSync(own, bytes, { mode: 0o600, flag: 'wx', flush: true })
    giveToOwnerOf(target, own)
    renameSync(own, target)
    syncDirectory(dirname(target))
    return ok(entries)
  } catch (error) {
    rmSync(own, { force: true })
    const { code } = error as { code?: unknown }
    return err(`cannot be written (${typeof code === 'string' ? code : 'unknown cause'})`)
  } finally {
    bytes.fill(0)
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // What is wrong with it shows when it is written.
    return path
  }
}

/** An administrator who changes the ring must not take it away from the service. */
function giveToOwnerOf(target: string, own: string): void {
  const { uid, gid } = statSync(target)
  const made = statSync(own)
  if (made.uid !== uid || made.gid !== gid) chownSync(own, uid, gid)
}

function syncDirectory(directory: string): void {
  const opened = openSync(directory, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}
