import { type Log, maskFields, maskText } from '@cbp/core'
import { type DestinationStream, type Logger, pino } from 'pino'
import type { RequestRecord } from './pipeline.ts'

export type HostLog = Readonly<{
  log: Log
  request: (record: RequestRecord) => void
  /** Writes out what is buffered; to be called before the process ends. */
  flush: () => void
}>

const gatheredLength = 64 * 1024
const flushEveryMs = 250

/** Structured JSON on stderr, pretty on a terminal. What is secret or personal is masked, by whomever it was given. */
export function openLog(level: 'debug' | 'info' | 'warn' | 'error', pretty: boolean = process.stderr.isTTY): HostLog {
  const options = { level, base: null, timestamp: isoTime, formatters: { level: (label: string) => ({ level: label }) } }
  if (pretty) {
    const transport: DestinationStream = pino.transport({ target: 'pino-pretty', options: { destination: 2, singleLine: true } })
    return over(pino(options, transport), { pass: () => {}, flush: () => {} })
  }
  const gathering = gather()
  return over(pino(options, gathering.lines), gathering)
}

/** Passes on what has been gathered; `flush` also waits until it is written, and ends the gathering. */
type Gathering = Readonly<{ pass: () => void; flush: () => void }>

/** JSON leaves them as they are, but viewers take them for ends of lines, for commands, or read what follows backwards. */
const breaking = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g
const unbroken = /^[^\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$/

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/**
 * Gathers lines into few writes, which makes the request log several times cheaper: pino's own destination measures all
 * that it holds again with every line.
 */
function gather(): Gathering & Readonly<{ lines: DestinationStream }> {
  const destination = pino.destination({ fd: 2, sync: false })
  let waiting = ''
  const pass = (): void => {
    if (waiting === '') return
    destination.write(waiting)
    waiting = ''
  }
  const timer = setInterval(pass, flushEveryMs).unref()
  return {
    lines: {
      write: (line) => {
        waiting += unbroken.test(line) ? line : line.replaceAll(breaking, escaped)
        if (waiting.length >= gatheredLength) pass()
      },
    },
    pass,
    flush: () => {
      clearInterval(timer)
      pass()
      destination.flushSync()
    },
  }
}

function over(logger: Logger, { pass, flush }: Gathering): HostLog {
  return {
    log: {
      write: (level, message, fields) => {
        if (logger.isLevelEnabled(level)) logger[level](fields === undefined ? {} : maskFields(fields), maskText(message))
        if (level === 'warn' || level === 'error') pass()
      },
    },
    request: (record) => {
      if (record.status >= 500) logger.error(requestFields(record), 'request')
      else if (logger.isLevelEnabled('info')) logger.info(requestFields(record), 'request')
    },
    flush,
  }
}

/**
 * What is known anyway, or unknown, is left out: each field costs as much as the rest of a line's handling. Words that the
 * caller may choose are masked; the others are numbers, or of a form that was checked.
 */
function requestFields({
  method,
  path,
  status,
  durationMs,
  bytes,
  requestId,
  client,
  traceparent,
}: RequestRecord): Readonly<Record<string, unknown>> {
  const ms = Math.round(durationMs * 1000) / 1000
  const who = client === null ? null : maskText(client)
  const fields = { requestId: maskText(requestId), method, path: maskText(path), status, ms, bytes, client: who }
  return traceparent === null ? fields : { ...fields, traceparent }
}

let stampedAt = 0
let stamp = ''

/** Many lines fall into one millisecond, and making the text of an instant costs more than the rest of a line. */
function isoTime(): string {
  const now = Date.now()
  if (now !== stampedAt) {
    stampedAt = now
    stamp = `,"time":"${new Date(now).toISOString()}"`
  }
  return stamp
}
