import type { SqliteStore, SqliteStoreOptions, StoreOpenError } from '@cbp/adapters-sql'
import { type Log, maskFields, maskText } from '@cbp/core'
import {
  type Assembly,
  loadEnvironment,
  openAssembly,
  type PlannedMigration,
  planMigrations as planFor,
  readSettings,
  type Settings,
  systemClock,
} from '@cbp/http/assembly'
import { err, type Result } from 'neverthrow'
import type { Host, OpenCore } from './host.ts'
import { type Failure, unavailable, usageFailure } from './output/failure.ts'
import { interruption, type Session } from './session.ts'
import { inTime } from './settle.ts'

const openDeadlineMs = 20_000

/** The settings as the environment, and the `.env` file where there is one, give them. */
export function settingsOf({ io }: Session): Result<Settings, Failure> {
  return readSettings(loadEnvironment(io.env, io.cwd), io.cwd).mapErr((faults) => ({
    ...usageFailure('invalid-settings', 'The settings are not acceptable.', 'Mend them in the environment or in the .env file.'),
    errors: faults.map(({ name, message }) => ({ pointer: name, code: 'invalid-setting', message })),
  }))
}

/** Assembles the same core over the same stores as the service does. No relay and no change feed run here. */
export async function openCore(session: Session): Promise<Result<OpenCore, Failure>> {
  const settings = settingsOf(session)
  if (settings.isErr()) return err(settings.error)
  const { unknown } = settings.value
  if (unknown.length > 0) session.notice('unknown-settings', `These settings mean nothing and are ignored: ${unknown.join(', ')}.`)
  const opened = await open(session, settings.value)
  return opened.map((assembly) => ({
    core: assembly.get('core'),
    caller: { client: `cli:${session.io.user}`, requestId: assembly.get('ids').next(), traceparent: null },
    keyRing: assembly.get('keyRing'),
    [Symbol.asyncDispose]: () => assembly[Symbol.asyncDispose](),
  }))
}

async function open(session: Session, settings: Settings): Promise<Result<Assembly, Failure>> {
  const opening = assemble(session, settings)
  const opened = await inTime(session.io.cancel, opening, openDeadlineMs)
  if (typeof opened === 'object') return opened
  void opening.then((late) => (late.isOk() ? late.value[Symbol.asyncDispose]() : undefined))
  if (opened === 'cancelled') return err(interruption(session.io.cancel))
  return err(unavailable('store-unavailable', `The store could not be opened within ${openDeadlineMs / 1000} s.`, mend))
}

/** Whatever lies in the data directory may be damaged; what is said of it tells how to mend it. */
async function assemble(session: Session, settings: Settings): Promise<Result<Assembly, Failure>> {
  try {
    const opened = await openAssembly(settings, { log: noticesOf(session) })
    return opened.mapErr(({ resource, reason }) => {
      if (resource === 'store') return unavailable('store-unavailable', `The store did not open: ${reason}.`, mend)
      return unavailable('resource-unavailable', `The ${resource} did not open: ${reason}.`)
    })
  } catch (error) {
    return err(unavailable('resource-unavailable', error instanceof Error ? error.message : String(error)))
  }
}

const mend = 'Check CBP_SQL_URL and CBP_DATA_DIR, then try again.'

/** What core wants known goes to the operator; how it works does not. */
function noticesOf({ notice }: Session): Log {
  return {
    write: (level, message, fields = {}) => {
      if (level !== 'warn' && level !== 'error') return
      const facts = Object.entries(maskFields(fields)).map(
        ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      )
      notice('log', [maskText(message), ...facts].join(' '))
    },
  }
}

export const waiting: Awaited<ReturnType<Host['waiting']>> = { clock: systemClock, random: { fraction: () => Math.random() } }

/** What opening the store would do to its tables; does nothing. */
export async function planMigrations(session: Session): Promise<Result<readonly PlannedMigration[], Failure>> {
  const settings = settingsOf(session)
  if (settings.isErr()) return err(settings.error)
  const planned = await planFor(settings.value)
  return planned.mapErr(({ reason }) => unavailable('store-unavailable', `The store cannot be read: ${reason}.`, mend))
}

/** The SQLite store by itself, for worlds that are not this machine's. */
export async function openSqlite(options: SqliteStoreOptions): Promise<Result<SqliteStore, StoreOpenError>> {
  const { openSqliteStore } = await import('@cbp/adapters-sql')
  return openSqliteStore(options)
}
