import { err, ok, type Result, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../kernel/clock.ts'
import { deadlines } from '../kernel/deadlines.ts'
import { type StoreUnavailable, storeUnavailable } from '../kernel/failures.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import { survivingDefects } from '../kernel/survive-defects.ts'
import type { DataKeys } from '../sealing/index.ts'
import { type ApiKey, clientOf } from './api-key.ts'
import type { Identity } from './identity.ts'
import type { ApiKeyStore } from './ports/api-key-store.ts'

/** A secret with everything that is needed to hold another against it, and who brings it. */
export type KnownSecret = Readonly<{ mac: string; pepper: number; pepperBase64: string; expiresAt: Instant; identity: Identity }>

/** A key as this instance knows it. */
export type KnownKey = Readonly<{
  id: Uuid
  isRevoked: boolean
  allowedFrom: readonly string[] | null
  secrets: readonly KnownSecret[]
}>

/** `null`: there is no such key. */
export type Found = KnownKey | null | StoreUnavailable

export type KeyCache = Readonly<{
  find: (id: Uuid) => Found | Promise<Found>
  /** Reads the key once more, for a secret that it did not know; `null` where it was read a moment ago. */
  findAgain: (id: Uuid) => Promise<Found> | null
  /** What is known may be out of date. */
  drop: () => void
}>

export type KeyCacheLimits = Readonly<{
  /** Keys held. */
  known: number
  /** Made-up ids held; they push out no keys. */
  absent: number
  /** Reads under way for ids that are not known. */
  reads: number
}>

type Dependencies = Readonly<{ store: ApiKeyStore; dataKeys: DataKeys; clock: Clock; log: Log }>
type Row = { readonly key: KnownKey; readonly readAt: Instant; retryAt: Instant }

const freshMs = 15_000
/** Read again beforehand from then on, so that a key in use is answered at once. */
const renewMs = 10_000
/** L18: what is answered without the store was read this long ago at most; beyond that 5 s remain for the request itself. */
const usableMs = 55_000
const absentMs = 5_000
/** A store that is away is asked this often for one key, and given this long while there is something to fall back on. */
const retryMs = 1_000
const patienceMs = 2_000
/** After that a read counts as failed, and another may begin. */
const readMs = 10_000
/** A secret that is not known asks for one more read this long after the last. */
const secondLookMs = 1_000
const stepBackMs = 1_000
const readsInARow = 3

const ampleLimits: KeyCacheLimits = { known: 10_000, absent: 1000, reads: 256 }

/** What is held, of bounded number; told apart by generations, each of which a change begins. */
type Held = Readonly<{
  /** The time; set back, the clock would make old rows young again, so that they are dropped. */
  now: () => Instant
  generation: () => number
  row: (id: Uuid) => Row | undefined
  isAbsent: (id: Uuid, now: Instant) => boolean
  keep: (id: Uuid, key: KnownKey | null, readAt: Instant) => void
  forget: (id: Uuid) => void
  drop: () => void
}>

function heldKeys(clock: Clock, limits: KeyCacheLimits): Held {
  const known = new Map<Uuid, Row>()
  const absentUntil = new Map<Uuid, Instant>()
  let generation = 0
  let latest = 0
  const drop = (): void => {
    generation += 1
    known.clear()
    absentUntil.clear()
  }
  const forget = (id: Uuid): void => {
    known.delete(id)
    absentUntil.delete(id)
  }
  return {
    now() {
      const now = clock.now()
      if (now < latest - stepBackMs) drop()
      latest = now
      return now
    },
    generation: () => generation,
    row: (id) => known.get(id),
    isAbsent: (id, now) => now < (absentUntil.get(id) ?? 0),
    keep(id, key, readAt) {
      forget(id)
      if (key === null) {
        makeRoom(absentUntil, limits.absent)
        absentUntil.set(id, readAt + absentMs)
      } else {
        makeRoom(known, limits.known)
        known.set(id, { key, readAt, retryAt: 0 })
      }
    },
    forget,
    drop,
  }
}

/** Reads a key and keeps what was read; one read of a key at a time. */
function keyReader(
  deps: Dependencies,
  held: Held,
): Readonly<{ read: (id: Uuid) => Promise<Found>; mayBegin: (id: Uuid, limit: number) => boolean }> {
  const reading = new Map<Uuid, Promise<Found>>()
  const inTime = deadlines(deps.clock, readMs)
  const readAnew = async (id: Uuid): Promise<Found> => {
    for (let reads = 1; ; reads += 1) {
      const readAt = held.now()
      const begunIn = held.generation()
      const loading = survivingDefects(deps.log, () => new ResultAsync(load(deps, id)), storeUnavailable)
      const found = await inTime(Promise.resolve(loading), () => err(storeUnavailable('the store did not answer in time')))
      if (found.isErr()) return found.error
      const isLate = held.now() - readAt > usableMs
      // A change that was told of meanwhile may be missing in what was read.
      if (held.generation() === begunIn && !isLate) {
        held.keep(id, found.value, readAt)
        return found.value
      }
      if (reads === readsInARow) return storeUnavailable('the key changed, or was answered late, whenever it was read')
    }
  }
  return {
    read(id) {
      const underWay = reading.get(id)
      if (underWay !== undefined) return underWay
      const begun = readAnew(id).finally(() => reading.delete(id))
      reading.set(id, begun)
      return begun
    },
    mayBegin: (id, limit) => reading.has(id) || reading.size < limit,
  }
}

/** Keys by id as they were read a moment ago. What a request brings, the secret least of all, is not kept. */
export function keyCache(deps: Dependencies, limits: KeyCacheLimits = ampleLimits): KeyCache {
  const held = heldKeys(deps.clock, limits)
  const { read, mayBegin } = keyReader(deps, held)
  const inPatience = deadlines(deps.clock, patienceMs)

  const readOrFallBack = async (id: Uuid, row: Row): Promise<Found> => {
    const found = await inPatience(read(id), () => storeUnavailable('the store is slow'))
    if (!isUnavailable(found)) return found
    const now = held.now()
    row.retryAt = now + retryMs
    return held.row(id) === row && now - row.readAt <= usableMs ? row.key : found
  }
  const findKnown = (id: Uuid, row: Row, now: Instant): Found | Promise<Found> => {
    const age = now - row.readAt
    if (age < freshMs) {
      if (age >= renewMs && now >= row.retryAt) {
        row.retryAt = now + retryMs
        void read(id)
      }
      return row.key
    }
    if (age <= usableMs) return now < row.retryAt ? row.key : readOrFallBack(id, row)
    held.forget(id)
    return read(id)
  }
  return {
    drop: held.drop,
    find(id) {
      const now = held.now()
      const row = held.row(id)
      if (row !== undefined) return findKnown(id, row, now)
      if (held.isAbsent(id, now)) return null
      return mayBegin(id, limits.reads) ? read(id) : storeUnavailable('too many keys are looked for at once')
    },
    findAgain(id) {
      const now = held.now()
      const row = held.row(id)
      return row !== undefined && now - row.readAt < secondLookMs ? null : read(id)
    },
  }
}

export function isUnavailable(found: Found): found is StoreUnavailable {
  return found !== null && 'kind' in found
}

async function load({ store, dataKeys }: Dependencies, id: Uuid): Promise<Result<KnownKey | null, StoreUnavailable>> {
  const found = await store.apiKey(id)
  if (found.isErr()) return err(found.error)
  const key = found.value
  if (key === null) return ok(null)
  const secrets: KnownSecret[] = []
  for (const { mac, pepper, expiresAt } of key.secrets) {
    const opened = await dataKeys.at('api-key-pepper', pepper)
    if (opened.isErr()) return err(storeUnavailable(`the pepper ${pepper} of an API key: ${opened.error.reason}`))
    secrets.push({ mac, pepper, pepperBase64: opened.value.keyBase64.reveal(), expiresAt, identity: identityOf(key, expiresAt) })
  }
  return ok({ id, isRevoked: key.revokedAt !== null, allowedFrom: key.allowedFrom, secrets })
}

function identityOf(key: ApiKey, expiresAt: Instant): Identity {
  const { permissions, configScopes } = key
  return { client: clientOf(key), userId: null, permissions: new Set<string>(permissions), configScopes, expiresAt }
}

/** Gives up what was read longest ago. */
function makeRoom<Value>(held: Map<Uuid, Value>, limit: number): void {
  for (const id of held.keys()) {
    if (held.size < limit) return
    held.delete(id)
  }
}
