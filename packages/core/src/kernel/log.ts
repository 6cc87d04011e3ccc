export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Port: where background work tells what it does. Fields carry names and numbers, never values of entries. */
export interface Log {
  write(level: LogLevel, message: string, fields?: Readonly<Record<string, string | number | boolean | null>>): void
}
