import { userInfo } from 'node:os'
import type { CliIo, Interruption } from './cli-io.ts'
import { exitCodes, failureDocument, failureText, refused } from './output/failure.ts'
import { styleFor } from './output/style.ts'
import { runCli } from './run-cli.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs the command that this process was started with. */
export async function runProcess(): Promise<void> {
  const stopping = new AbortController()
  stopOnSignals(stopping)
  endWithoutReaders(stopping)
  const io: CliIo = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    user: userName(),
    cancel: stopping.signal,
  }
  process.exitCode = await runCli(process.argv.slice(2), io)
  // A stdin that was opened and is not at its end would keep the process alive.
  process.stdin.unref?.()
}

/**
 * The first signal asks for an orderly end, a later one enforces it. Through npm and a launcher one Ctrl-C arrives
 * several times, so that repeats within a second are the same one.
 */
function stopOnSignals(stopping: AbortController): void {
  let firstAtMs: number | null = null
  for (const signal of signals) {
    process.on(signal, () => {
      firstAtMs ??= performance.now()
      if (performance.now() - firstAtMs > 1000) process.exit(signal === 'SIGINT' ? 130 : 143)
      stopping.abort(signal satisfies Interruption)
    })
  }
}

/** `cbp … | head` closes the pipe when it has seen enough. A full disk ends the program too, but not quietly. */
function endWithoutReaders(stopping: AbortController): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (stopping.signal.aborted) return
    if (error.code === 'EPIPE') return stopping.abort('pipe-closed' satisfies Interruption)
    failAtExit()
    process.stderr.write(unwritableText(error))
    stopping.abort('unwritable' satisfies Interruption)
  })
  // There is nowhere left to tell of it.
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return stopping.abort('pipe-closed' satisfies Interruption)
    stopping.abort('unwritable' satisfies Interruption)
  })
}

/** The command may be done by the time that its output turns out to be lost. */
function failAtExit(): void {
  process.once('exit', () => {
    process.exitCode = exitCodes.refused
  })
}

function unwritableText({ message }: Error): string {
  const failure = refused('unwritable-output', `Standard output cannot be written: ${message}.`)
  return process.argv.includes('--json')
    ? `${JSON.stringify(failureDocument(failure))}\n`
    : failureText(failure, styleFor(process.stderr, process.env, !process.argv.includes('--no-color')))
}

/** A user without a name, as in some containers, goes by its number. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}
