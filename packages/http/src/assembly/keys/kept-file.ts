import { randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { prepareDataDirectory } from '../../directory.ts'

/** `null` where there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as { code?: unknown }
    // What is wrong with the folder shows when the file is made.
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

/**
 * Writes a file of the data directory that its owner alone can read, unless there is one. Processes that start together
 * end up with the same.
 *
 * @returns what the file holds
 */
export async function keepFirst(path: string, text: string): Promise<string> {
  await prepareDataDirectory(dirname(path))
  const own = `${path}.${randomUUID()}`
  try {
    // On disk before anything is signed or sealed with what it holds.
    await writeFile(own, text, { mode: 0o600, flag: 'wx', flush: true })
    // A link never replaces: the first of several processes wins, and its file is whole from the start.
    await link(own, path)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error
  } finally {
    await rm(own, { force: true })
  }
  const kept = await readIfThere(path)
  if (kept === null) throw new Error(`${path} was removed while it was made`)
  return kept
}
