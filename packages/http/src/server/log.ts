import type { Log } from '@cbp/core'
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import type { RequestRecord } from './pipeline.ts'

export type HostLog = Readonly<{
  log: Log
  request: (record: RequestRecord) => void
  /** Writes out what is buffered; to be called before the process ends. */
  flush: () => void
}>

const bufferedBytes = 4096
const flushEveryMs = 500

/** Structured JSON on stderr, pretty on a terminal. Lines are gathered into few writes, which keeps the request log cheap. */
export function openLog(level: 'debug' | 'info' | 'warn' | 'error', pretty: boolean = process.stderr.isTTY): HostLog {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: (label: string) => ({ level: label }) } }
  if (pretty) {
    const transport: DestinationStream = pino.transport({ target: 'pino-pretty', options: { destination: 2, singleLine: true } })
    return over(pino(options, transport), () => {})
  }
  const destination = pino.destination({ fd: 2, minLength: bufferedBytes, sync: false })
  const timer = setInterval(() => destination.flush(), flushEveryMs).unref()
  return over(pino(options, destination), () => {
    clearInterval(timer)
    destination.flushSync()
  })
}

function over(logger: Logger, flush: () => void): HostLog {
  return {
    log: { write: (level, message, fields) => logger[level](fields ?? {}, message) },
    request: (record) => (record.status >= 500 ? logger.error(record, 'request') : logger.info(record, 'request')),
    flush,
  }
}
