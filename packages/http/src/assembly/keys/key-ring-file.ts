import { statSync } from 'node:fs'
import type { KeyRing, Log, Sealed } from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { aesKeyRing, keyIdOf } from './aes-key-ring.ts'
import { askCommand, type RingAddress, ringName } from './ring-address.ts'
import { readOrMakeRing, readRingFile } from './ring-file.ts'
import { parseKeys, type RingKeys } from './ring-format.ts'
import { type RingFile, ringFile } from './rotate-ring-file.ts'

/** The key ring cannot be used; `reason` says how to mend it and never carries a key. */
export type KeyRingFault = Readonly<{ kind: 'key-ring-fault'; path: string; reason: string }>

export type OpenedKeyRing = KeyRing &
  Readonly<{
    /** Ids alone, the current one first: enough to log. */
    keyIds: readonly string[]
    /** The key that a sealed secret needs; `null` where it names none. */
    keyIdOf: (sealed: Sealed) => string | null
    /** What changes it; `null` for a ring that another system keeps. */
    file: RingFile | null
    /** Reads the file again at once; the ring stays as it is when the file cannot be used. */
    refresh: () => Result<void, string>
    close: () => void
  }>

type Options = Readonly<{
  /** Development: makes the file with one key where there is none, and takes it whoever else can read it. */
  generate: boolean
  log?: Log
  /** How often the file is looked at. */
  pollMs?: number
}>

const defaultPollMs = 1000
/** A secret whose key is unknown makes the file read at once, but a flood of them does not. */
const refreshAtMostEveryMs = 1000

/**
 * Opens the key-encryption keys, JSON of the form `{"keys": [{"id": "k1", "key": "<base64 of 32 bytes>"}]}`. The first key
 * seals, all of them open. A file is watched: what is put into it counts for every running instance within two seconds.
 */
export function openKeyRing(address: RingAddress | string, options: Options): ResultAsync<OpenedKeyRing, KeyRingFault> {
  return new ResultAsync(open(typeof address === 'string' ? { kind: 'file', path: address } : address, options))
}

async function open(address: RingAddress, options: Options): Promise<Result<OpenedKeyRing, KeyRingFault>> {
  const text = await readRing(address, options)
  return text
    .andThen(parseKeys)
    .map((keys) => (address.kind === 'file' ? watchedRing(address.path, keys, options) : fixedRing(keys)))
    .mapErr((reason) => ({ kind: 'key-ring-fault', path: ringName(address), reason: `The key ring ${ringName(address)} ${reason}` }))
}

async function readRing(address: RingAddress, { generate }: Options): Promise<Result<string, string>> {
  switch (address.kind) {
    case 'file':
      return generate ? readOrMakeRing(address.path) : readRingFile(address.path, { generate })
    case 'environment':
      return address.text === null ? err(`is empty; set ${address.name} to the JSON of a ring`) : ok(address.text.reveal())
    case 'command':
      return askCommand(address)
  }
}

function fixedRing(keys: RingKeys): OpenedKeyRing {
  const keyIds = keys.map(({ id }) => id)
  return { ...aesKeyRing(keys), keyIds, keyIdOf, file: null, refresh: () => ok(), close: () => {} }
}

type Held = { ring: KeyRing; keyIds: readonly string[]; stamp: string; told: string | null; refreshedAt: number }

function watchedRing(path: string, keys: RingKeys, { generate, log, pollMs = defaultPollMs }: Options): OpenedKeyRing {
  const held: Held = {
    ring: aesKeyRing(keys),
    keyIds: keys.map(({ id }) => id),
    stamp: stampOf(path),
    told: null,
    refreshedAt: Number.NEGATIVE_INFINITY,
  }
  const refresh = (): Result<void, string> => {
    held.refreshedAt = performance.now()
    const stamp = stampOf(path)
    const read = readRingFile(path, { generate }).andThen(parseKeys)
    if (read.isErr()) {
      // Once for each thing that is wrong with it; until it is mended the keys known so far count.
      if (held.told !== read.error) log?.write('error', 'the key ring cannot be read again', { path, reason: read.error })
      held.told = read.error
      return err(read.error)
    }
    const keyIds = read.value.map(({ id }) => id)
    const isOther = keyIds.join() !== held.keyIds.join()
    Object.assign(held, { ring: aesKeyRing(read.value), keyIds, stamp, told: null })
    if (isOther) log?.write('info', 'the key ring has changed', { current: keyIds[0] ?? '', keys: keyIds.join(' ') })
    return ok()
  }
  const timer = setInterval(() => {
    if (stampOf(path) !== held.stamp) refresh()
  }, pollMs).unref()
  return {
    seal: (secret, context) => held.ring.seal(secret, context),
    unseal: (sealed, context) => {
      const id = keyIdOf(sealed)
      const isDue = performance.now() - held.refreshedAt >= refreshAtMostEveryMs
      if (id !== null && !held.keyIds.includes(id) && isDue) refresh()
      return held.ring.unseal(sealed, context)
    },
    isCurrent: (sealed) => held.ring.isCurrent(sealed),
    get keyIds() {
      return held.keyIds
    },
    keyIdOf,
    file: ringFile(path, { generate, now: () => new Date() }),
    refresh,
    close: () => clearInterval(timer),
  }
}

/** Differs when the file was replaced or written to. */
function stampOf(path: string): string {
  try {
    const { ino, size, mtimeNs, mode } = statSync(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs} ${mode}`
  } catch {
    return ''
  }
}
