import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const repository: string = join(import.meta.dirname, '..', '..')

/** A directory on the real disk that goes with the benchmark. */
export function temporaryDirectory(): Disposable & Readonly<{ path: string }> {
  const path = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'cbp-bench-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
