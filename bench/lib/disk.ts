import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { median } from './statistics.ts'

/** Milliseconds (p50) that the disk of a directory takes to make one page durable: what a commit cannot go below. */
export function syncMs(directory: string): number {
  const path = join(directory, 'sync.tmp')
  const file = openSync(path, 'w')
  const page = Buffer.alloc(4096, 1)
  const taken = Array.from({ length: 200 }, () => {
    const startedAt = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    return performance.now() - startedAt
  })
  closeSync(file)
  rmSync(path)
  return median(taken)
}
