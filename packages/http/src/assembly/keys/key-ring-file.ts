import { randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import type { KeyRing } from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { z } from 'zod'
import { aesKeyRing, type NamedKey } from './aes-key-ring.ts'
import { keepFirst } from './kept-file.ts'

/** The key ring cannot be used; `reason` says how to mend it and never carries a key. */
export type KeyRingFault = Readonly<{ kind: 'key-ring-fault'; path: string; reason: string }>

/** Ids alone, the current one first: enough to log. */
export type OpenedKeyRing = KeyRing & Readonly<{ keyIds: readonly string[] }>

const howToMake = `write {"keys": [{"id": "k1", "key": "<openssl rand -base64 32>"}]} to it with mode 0600`

const namedKey = z.strictObject(
  {
    id: z.string('has to be text').regex(/^[a-z0-9-]{1,32}$/, 'has to be 1 to 32 characters of a to z, 0 to 9 and -'),
    key: z
      .string('has to be text')
      .regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, 'has to be 32 bytes in base64 (openssl rand -base64 32)'),
  },
  // Not zod's own words: they name unknown members, and a key may have slipped in there.
  'has to have an id, a key and nothing else',
)

const ringSchema = z.strictObject(
  { keys: z.array(namedKey, 'has to be a list').min(1, 'has no key; the first is the one that seals') },
  'has to be {"keys": …} and nothing else',
)

/**
 * Opens the key-encryption keys of a JSON file, `{"keys": [{"id": "k1", "key": "<base64 of 32 bytes>"}]}`. The first key
 * seals, all of them open: a new key is put in front, an old one is removed once nothing needs it.
 *
 * @param generate development: makes the file with one key where there is none, and takes it whoever else can read it,
 *   though not where everyone can write it
 */
export function openKeyRing(path: string, { generate }: Readonly<{ generate: boolean }>): ResultAsync<OpenedKeyRing, KeyRingFault> {
  return new ResultAsync(openFile(path, generate))
}

async function openFile(path: string, generate: boolean): Promise<Result<OpenedKeyRing, KeyRingFault>> {
  const text = await (generate ? readOrMake(path) : readPrivate(path))
  return text
    .andThen(parseKeys)
    .map((keys) => ({ ...aesKeyRing(keys), keyIds: keys.map(({ id }) => id) }))
    .mapErr((reason) => ({ kind: 'key-ring-fault', path, reason: `The key ring ${path} ${reason}` }))
}

async function readOrMake(path: string): Promise<Result<string, string>> {
  try {
    const kept = await readUnlessOpen(path, everyoneWrites)
    if (kept !== null) return kept
    const key = randomBytes(32).toString('base64')
    return ok(await keepFirst(path, `${JSON.stringify({ keys: [{ id: 'k1', key }] })}\n`))
  } catch (error) {
    return err(`can be neither read nor made: ${(error as Error).message}`)
  }
}

async function readPrivate(path: string): Promise<Result<string, string>> {
  try {
    return (await readUnlessOpen(path, othersDoAnything)) ?? err(`does not exist; ${howToMake}`)
  } catch (error) {
    const { code } = error as { code?: unknown }
    return err(`cannot be read (${typeof code === 'string' ? code : 'unknown cause'})`)
  }
}

const everyoneWrites = 0o002
const othersDoAnything = 0o077

/** `null` where there is no such file. */
async function readUnlessOpen(path: string, forbiddenMode: number): Promise<Result<string, string> | null> {
  const file = await openIfThere(path)
  if (file === null) return null
  await using _closing = file
  const { mode } = await file.stat()
  // Windows has no such modes, and reports them as open to all.
  if (process.platform === 'win32' || (mode & forbiddenMode) === 0) return ok(await file.readFile('utf8'))
  const what = (mode & everyoneWrites) === 0 ? 'can be read by others' : 'can be written by everyone'
  return err(`${what} (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); run: chmod 600 ${path}`)
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path)
  } catch (error) {
    const { code } = error as { code?: unknown }
    // What is wrong with the folder shows when the file is made.
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

function parseKeys(text: string): Result<readonly [NamedKey, ...NamedKey[]], string> {
  const parsed = ringSchema.safeParse(jsonOf(text))
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.length === 0 ? 'it' : path.join('.')} ${message}`)
    return err(`is not a key ring (${faults.join('; ')}); ${howToMake}`)
  }
  const [first, ...others] = parsed.data.keys.map(({ id, key }) => ({ id, key: Buffer.from(key, 'base64') }))
  if (first === undefined) return err(`has no key; ${howToMake}`)
  const keys: readonly [NamedKey, ...NamedKey[]] = [first, ...others]
  const twice = keys.find(({ id }, index) => keys.findIndex((other) => other.id === id) < index)
  if (twice !== undefined) return err(`has two keys with the id ${twice.id}; every key needs an id of its own`)
  const same = keys.find(({ key }, index) => keys.findIndex((other) => other.key.equals(key)) < index)
  return same === undefined ? ok(keys) : err(`has the key of ${same.id} twice; every id needs a key of its own`)
}

/** `undefined` for what is no JSON: the parser's own words would quote the text. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
