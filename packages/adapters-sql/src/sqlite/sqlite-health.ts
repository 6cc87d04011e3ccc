import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'
import { unavailable } from './sqlite-errors.ts'

export type SqliteHealth = Readonly<{
  status: 'pass' | 'warn' | 'fail'
  /** What is wrong and how to mend it; `null` when nothing is. */
  reason: string | null
  /** The head as read just now; `null` when it cannot be. */
  revision: number | null
  queued: number
  databaseBytes: number
  walBytes: number
  freeBytes: number
}>

const scarceBytes = 256 * 1024 * 1024
const noBytes = 8 * 1024 * 1024

/** Reads the head, looks whether the file is still the one that was opened, and how much room the disk has. */
export function sqliteHealth(path: string, reader: Connection, group: GroupCommit): () => Promise<SqliteHealth> {
  const opened = stat(path).then(
    ({ ino }) => ino,
    () => null,
  )
  return async () => {
    const [inode, file, wal, disk] = await Promise.all([
      opened,
      look(() => stat(path)),
      look(() => stat(`${path}-wal`)),
      look(() => statfs(dirname(path))),
    ])
    const measured = {
      queued: group.size(),
      databaseBytes: file?.size ?? 0,
      walBytes: wal?.size ?? 0,
      freeBytes: disk === null ? 0 : disk.bavail * disk.bsize,
    }
    const head = readHead(reader)
    if (typeof head === 'string') return { status: 'fail', reason: head, revision: null, ...measured }
    const answer = (status: SqliteHealth['status'], reason: string | null): SqliteHealth => ({
      status,
      reason,
      revision: head,
      ...measured,
    })
    if (file === null || file.ino !== inode) {
      return answer('fail', 'the database file was removed or replaced while open; stop the service, put the file back and start again')
    }
    if (disk !== null && measured.freeBytes < noBytes)
      return answer('fail', 'the disk is full; free space on the disk of the data directory')
    if (disk !== null && measured.freeBytes < scarceBytes)
      return answer('warn', 'less than 256 MiB are free on the disk of the data directory')
    return answer('pass', null)
  }
}

function readHead(reader: Connection): number | string {
  if (!reader.isOpen) return 'the store is closed'
  try {
    return Number(reader.all({ sql: 'SELECT revision FROM store_head', parameters: {} })[0]?.['revision'] ?? 0)
  } catch (error) {
    return unavailable(error).reason
  }
}

async function look<T>(find: () => Promise<T>): Promise<T | null> {
  try {
    return await find()
  } catch {
    return null
  }
}
