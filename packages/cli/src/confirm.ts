import { createInterface } from 'node:readline/promises'
import { err, ok, type Result } from 'neverthrow'
import { type Failure, refused, usageFailure } from './output/failure.ts'
import { interruption, type Session } from './session.ts'

/** Whether there is somebody to ask and something to ask them. */
export function canAsk({ io, yes }: Session): boolean {
  return !yes && io.stdin.isTTY === true && io.stderr.isTTY === true
}

/** Asks on a terminal. Elsewhere it needs `--yes`: a script says once that it means it, and never hangs on a question. */
export async function confirm(session: Session, question: string): Promise<Result<void, Failure>> {
  const { io, errStyle, yes } = session
  if (yes) return ok()
  if (!canAsk(session)) {
    return err(usageFailure('confirmation-required', `${question} There is no terminal to ask at. Nothing was changed.`, 'Add --yes.'))
  }
  const answer = await ask(session, `${errStyle.paint('bold', question)} [y/N] `)
  if (io.cancel.aborted) return err(interruption(io.cancel))
  return /^y(es)?$/i.test(answer.trim()) ? ok() : err(refused('not-confirmed', 'Not confirmed. Nothing was changed.'))
}

/** Not as a terminal of readline's own, so that Ctrl-C stays a signal. The end of the input is an answer too: none. */
async function ask({ io }: Session, prompt: string): Promise<string> {
  const lines = createInterface({ input: io.stdin, output: io.stderr, terminal: false })
  try {
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    return await Promise.race([lines.question(prompt, { signal: io.cancel }), ended])
  } catch {
    return ''
  } finally {
    lines.close()
  }
}
