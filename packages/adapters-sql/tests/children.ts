import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type Child = Readonly<{
  process: ChildProcess
  /** Its standard output, line by line. */
  lines: AsyncIterableIterator<string>
  /** Resolves with the exit code, or `null` when a signal ended it. */
  ended: Promise<number | null>
}>

const programs = {
  'hold-lock': new URL('./children/hold-lock.ts', import.meta.url),
  'open-and-close': new URL('./children/open-and-close.ts', import.meta.url),
  'write-storm': new URL('./children/write-storm.ts', import.meta.url),
}

/** Starts a program of `tests/children` in a process of its own. */
export function startChild(name: keyof typeof programs, ...args: readonly string[]): Child {
  const program = fileURLToPath(programs[name])
  const child = spawn(process.execPath, ['--conditions=@cbp/source', program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code))
  })
  return { process: child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), ended }
}
