import type { Log } from '@cbp/core'
import { type Assembly, loadEnvironment, openAssembly, readSettings, type Settings, systemClock } from '@cbp/http/assembly'
import { err, ok, type Result } from 'neverthrow'
import type { Host, OpenCore } from './host.ts'
import { type Failure, refused, unavailable, usageFailure } from './output/failure.ts'
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
    [Symbol.asyncDispose]: () => assembly[Symbol.asyncDispose](),
  }))
}

async function open(session: Session, settings: Settings): Promise<Result<Assembly, Failure>> {
  const opening = openAssembly(settings, { log: noticesOf(session) })
  try {
    const assembly = await inTime(session.io.cancel, opening, openDeadlineMs)
    if (typeof assembly === 'object') return ok(assembly)
    void opening.then((late) => late[Symbol.asyncDispose]()).catch(() => {})
    if (assembly === 'cancelled') return err(interruption(session.io.cancel))
    return err(unavailable('store-unavailable', `The store could not be opened within ${openDeadlineMs / 1000} s.`, mend))
  } catch (error) {
    return err(unavailable('store-unavailable', error instanceof Error ? error.message : String(error), mend))
  }
}

const mend = 'Check CBP_SQL_URL and CBP_DATA_DIR, then try again.'

/** What core wants known goes to the operator; how it works does not. */
function noticesOf({ notice }: Session): Log {
  return {
    write: (level, message, fields = {}) => {
      if (level !== 'warn' && level !== 'error') return
      const facts = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`)
      notice('log', [message, ...facts].join(' '))
    },
  }
}

export const waiting: Awaited<ReturnType<Host['waiting']>> = { clock: systemClock, random: { fraction: () => Math.random() } }

export type PlannedMigration = Readonly<{ number: number; name: string }>

type PlanMigrations = (settings: Settings) => Promise<Result<readonly PlannedMigration[], Readonly<{ reason: string }>>>

/** What opening the store would do to its tables; does nothing. */
export async function planMigrations(session: Session): Promise<Result<readonly PlannedMigration[], Failure>> {
  const settings = settingsOf(session)
  if (settings.isErr()) return err(settings.error)
  const assembly: Readonly<Record<string, unknown>> = await import('@cbp/http/assembly')
  const plan = assembly['planMigrations']
  if (typeof plan !== 'function') return err(refused('not-available', 'This version cannot tell what a migration would do.'))
  const planned = await (plan as PlanMigrations)(settings.value)
  return planned.mapErr(({ reason }) => unavailable('store-unavailable', `The store cannot be read: ${reason}.`, mend))
}
