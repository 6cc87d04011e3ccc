import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes a directory where there is none, and rejects with how to mend it when nothing can be written there. */
export async function prepareDirectory(path: string, cure: string): Promise<void> {
  try {
    await makeDirectory(path)
    await access(path, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(`${cure} (${code ?? message})`, { cause: error })
  }
}

/** Not with node's own recursion, which never ends where a file system, such as /proc, denies the existence of what it will not make. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOne(path)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    await makeDirectory(parent)
    await makeOne(path)
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await stat(path)).isDirectory()) return
    throw error
  }
}

export function prepareDataDirectory(dataDir: string): Promise<void> {
  return prepareDirectory(dataDir, `The data directory ${dataDir} cannot be written; set CBP_DATA_DIR to one that can`)
}
