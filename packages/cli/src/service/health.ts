import { queueFinding, readQueues } from '@cbp/http/bodies'
import { err, ok, type Result } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import { exitCodes, type Failure, unavailable } from '../output/failure.ts'
import type { Style } from '../output/style.ts'
import { renderTable } from '../output/table.ts'
import { failureOfReply, getJson, type JsonReply, readService, type Service, type ServiceOptions } from '../remote/service.ts'
import type { Action, Answer, Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'

type Status = 'pass' | 'warn' | 'fail'
type Check = Readonly<{ status: Status; output?: unknown }>
type Health = Readonly<{ status: Status; checks: Readonly<Record<string, Check>> }>

export const checkHealth: Action<[], ServiceOptions> = async (session, { url, token }) => {
  if (url === undefined) return usingCore(session, (open) => checkStore(session, open))
  const service = readService(session, token === undefined ? { url } : { url, token })
  if (service.isErr()) return err(service.error)
  const reply = await getJson(session, service.value, '/health')
  return reply.andThen((answered) => answerOf(service.value, answered))
}

function answerOf(service: Service, reply: JsonReply): Result<Answer, Failure> {
  if (isHealth(reply.body)) return ok(healthAnswer(reply.body))
  if (reply.status >= 400) return err(failureOfReply(service, reply))
  return err(unavailable('not-the-service', `What answers at ${service.url.href} is not the Config API.`, 'Mend --url.'))
}

/** The parts that live in a store; cache and broker belong to a running service. */
async function checkStore(session: Session, { core }: OpenCore): Promise<Result<Answer, Failure>> {
  const read = await settle(session, core.config.components({ after: null, limit: 1 }))
  const database: Check = read.match<Check>(
    ({ head }) => ({ status: 'pass', output: `the store answers reads; its head is revision ${head.revision}` }),
    ({ detail }) => ({ status: 'fail', output: detail }),
  )
  const waiting = await settle(session, readQueues(core))
  const queue = waiting.match<Check>(queueFinding, ({ detail }) => ({ status: 'fail', output: detail }))
  const statuses = [database.status, queue.status]
  const status: Status = statuses.includes('fail') ? 'fail' : statuses.includes('warn') ? 'warn' : 'pass'
  return ok(healthAnswer({ status, checks: { database, queue } }))
}

function healthAnswer(health: Health): Answer {
  return {
    json: health,
    text: (style) => healthText(style, health),
    exitCode: health.status === 'fail' ? exitCodes.unavailable : exitCodes.done,
  }
}

const colours = { pass: 'green', warn: 'yellow', fail: 'red' } as const

function healthText(style: Style, { status, checks }: Health): string {
  const rows = Object.entries(checks).map(([name, check]) => [name, check.status, typeof check.output === 'string' ? check.output : ''])
  const table = renderTable(style, [{ title: 'check' }, { title: 'status' }, { title: 'what was seen' }], rows)
  return `${table}${style.paint(colours[status], status)}\n`
}

function isHealth(body: unknown): body is Health {
  if (typeof body !== 'object' || body === null) return false
  const { status, checks } = body as Readonly<{ status?: unknown; checks?: unknown }>
  if (!isStatus(status) || typeof checks !== 'object' || checks === null) return false
  return Object.values(checks).every((check) => isStatus((check as Check | null)?.status))
}

function isStatus(status: unknown): status is Status {
  return status === 'pass' || status === 'warn' || status === 'fail'
}
