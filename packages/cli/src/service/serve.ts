import { serve } from '@cbp/http'
import { err } from 'neverthrow'
import type { Interruption } from '../cli-io.ts'
import { settingsOf } from '../container.ts'
import { refused } from '../output/failure.ts'
import type { Action, Session } from '../session.ts'

export const serveUntilStopped: Action<[], unknown> = async (session) => {
  const settings = settingsOf(session)
  if (settings.isErr()) return err(settings.error)
  const served = await serve(settings.value, { stop: signalsOf(session), announce: (text) => announce(session, text) })
  return served.map(() => null).mapErr(({ message }) => refused('serve-failure', message))
}

/** Who reads the ready line and goes away has not asked the service to end. */
function signalsOf({ io: { cancel } }: Session): AbortSignal {
  const stop = new AbortController()
  const pass = (): void => {
    if ((cancel.reason as Interruption) !== 'pipe-closed') stop.abort(cancel.reason)
  }
  if (cancel.aborted) pass()
  cancel.addEventListener('abort', pass, { once: true })
  return stop.signal
}

function announce({ json, print }: Session, text: string): void {
  const address = /^listening on (\S+)$/m.exec(text)?.[1]
  void print(json ? `${JSON.stringify({ listening: address ?? null })}\n` : text)
}
