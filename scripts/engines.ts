import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** An engine that the tests can run against, and whether they do here. */
export type Engine = Readonly<{
  capability: 'store' | 'cache' | 'events'
  name: string
  /** Answers null when the tests run against it, else why they do not. */
  missing: () => string | null
}>

const embedded = () => null

export const engines: readonly Engine[] = [
  { capability: 'store', name: 'SQLite (embedded)', missing: embedded },
  { capability: 'store', name: 'SQL Server', missing: unlessGiven('CBP_TEST_MSSQL_URL', 'npm run test:mssql') },
  { capability: 'cache', name: 'in-process cache', missing: embedded },
  { capability: 'cache', name: 'Redis', missing: unlessInstalled('redis-server') },
  { capability: 'events', name: 'in-process broker', missing: embedded },
  { capability: 'events', name: 'RabbitMQ', missing: unlessInstalled('rabbitmq-server') },
]

/** The tests start servers of their own, as processes of this machine. */
function unlessInstalled(command: string): () => string | null {
  return () => (isOnPath(command) ? null : `missing: ${command} is not installed`)
}

function unlessGiven(name: string, script: string): () => string | null {
  return () => ((process.env[name] ?? '') === '' ? `missing: ${name} is not set (${script})` : null)
}

function isOnPath(command: string): boolean {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
