import type { Log, LogLevel } from '../log.ts'

export type LogEntry = Readonly<{ level: LogLevel; message: string; fields: Readonly<Record<string, string | number | boolean | null>> }>

export type FakeLog = Log & Readonly<{ entries: readonly LogEntry[] }>

/** Keeps what was logged. */
export function fakeLog(): FakeLog {
  const entries: LogEntry[] = []
  return { entries, write: (level, message, fields = {}) => void entries.push({ level, message, fields }) }
}
