/** An engine that the tests can run against, and whether they do in this checkout. */
export type Engine = Readonly<{
  capability: 'store' | 'cache' | 'events'
  name: string
  /** Answers null when the tests run against it, else why they do not. */
  missing: () => string | null
}>

const embedded = () => null
const notBuilt = () => 'not built yet'

export const engines: readonly Engine[] = [
  { capability: 'store', name: 'SQLite (embedded)', missing: embedded },
  { capability: 'store', name: 'SQL Server', missing: notBuilt },
  { capability: 'cache', name: 'in-process cache', missing: embedded },
  { capability: 'cache', name: 'Redis', missing: notBuilt },
  { capability: 'events', name: 'in-process broker', missing: embedded },
  { capability: 'events', name: 'RabbitMQ', missing: notBuilt },
]
