import { type PresentCredential, readCredential } from '../access/credentials.ts'
import type { Exchange } from './exchange.ts'
import type { Guard } from './guard.ts'

/** Streams that stay open, and must not outlive the credential that opened them. */
export interface OpenStreams {
  /** Answers how to forget the stream of this exchange. */
  admit(exchange: Exchange): () => void
}

/** Little enough that a thousand of them are no burden. */
type Opened = Pick<Exchange, 'outgoing' | 'address' | 'certificate'> & Readonly<{ credential: PresentCredential }>

const recheckEveryMs = 5_000

/** Looks again and again whether each credential still counts; a stream whose key or token was revoked is cut. */
export function openStreams({ isStillValid }: Pick<Guard, 'isStillValid'>, everyMs: number = recheckEveryMs): OpenStreams {
  const opened = new Set<Opened>()
  let timer: NodeJS.Timeout | null = null
  let isChecking = false

  const recheck = async (): Promise<void> => {
    if (isChecking) return
    isChecking = true
    for (const stream of [...opened]) {
      if (opened.has(stream) && !(await isStillValid(stream.credential, stream))) stream.outgoing?.destroy()
    }
    isChecking = false
  }
  return {
    admit: (exchange) => {
      const credential = readCredential(exchange)
      if ('code' in credential || !('text' in credential)) return () => {}
      const { outgoing, address, certificate } = exchange
      const stream: Opened = { outgoing, address, certificate, credential }
      opened.add(stream)
      timer ??= setInterval(() => void recheck(), everyMs).unref()
      return () => {
        opened.delete(stream)
        if (opened.size > 0 || timer === null) return
        clearInterval(timer)
        timer = null
      }
    },
  }
}
