import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { err, ok, type Result } from 'neverthrow'
import { keepFirst } from './kept-file.ts'
import { howToMake } from './ring-format.ts'

/** Reads the file, or makes one with a single key where there is none; whoever else can read it, but not where everyone can write it. */
export async function readOrMakeRing(path: string): Promise<Result<string, string>> {
  try {
    const kept = readUnlessOpen(path, everyoneWrites)
    if (kept !== null) return kept
    const key = randomBytes(32)
    const text = `${JSON.stringify({ keys: [{ id: 'k1', key: key.toString('base64') }] })}\n`
    key.fill(0)
    return ok(await keepFirst(path, text))
  } catch (error) {
    return err(`can be neither read nor made: ${(error as Error).message}`)
  }
}

/** Synchronous, because a secret that needs a key from it is opened in one go; the file is small. */
export function readRingFile(path: string, { generate }: Readonly<{ generate: boolean }>): Result<string, string> {
  try {
    return readUnlessOpen(path, generate ? everyoneWrites : othersDoAnything) ?? err(`does not exist; ${howToMake}`)
  } catch (error) {
    const { code } = error as { code?: unknown }
    return err(`cannot be read (${typeof code === 'string' ? code : 'unknown cause'})`)
  }
}

const everyoneWrites = 0o002
const othersDoAnything = 0o077

/** `null` where there is no such file. */
function readUnlessOpen(path: string, forbiddenMode: number): Result<string, string> | null {
  const file = openIfThere(path)
  if (file === null) return null
  try {
    const { mode } = fstatSync(file)
    // Windows has no such modes, and reports them as open to all.
    if (process.platform === 'win32' || (mode & forbiddenMode) === 0) return ok(textOf(readFileSync(file)))
    const what = (mode & everyoneWrites) === 0 ? 'can be read by others' : 'can be written by everyone'
    return err(`${what} (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); run: chmod 600 ${path}`)
  } finally {
    closeSync(file)
  }
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  bytes.fill(0)
  return text
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch (error) {
    const { code } = error as { code?: unknown }
    // What is wrong with the folder shows when the file is made.
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}
