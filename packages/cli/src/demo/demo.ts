import { loadDevelopmentKey, mintToken } from '@cbp/http'
import type { Settings } from '@cbp/http/assembly'
import { err, ok, type Result } from 'neverthrow'
import { settingsOf } from '../container.ts'
import { exitCodes, type Failure, refused, unavailable } from '../output/failure.ts'
import { getJson, readService, type Service } from '../remote/service.ts'
import type { Action, Answer, Session } from '../session.ts'
import { type Narration, openNarration } from './narration.ts'
import { startOwnService } from './own-service.ts'
import { openReceiver } from './receiver.ts'
import { neededScope, payOnce, type Stage, subscribe, unsubscribe } from './script.ts'

export type DemoOptions = Readonly<{ url?: string; token?: string; timeout: number }>

const tokenLifeSeconds = 3600

export const runDemo: Action<[], DemoOptions> = async (session, options) => {
  if (options.url !== undefined) {
    const service = await givenService(session, options.url, options.token)
    return service.isErr() ? err(service.error) : demonstrate(session, service.value, options.timeout)
  }
  session.progress('Starting a service of its own …')
  const started = await startOwnService(session)
  if (started.isErr()) return err(started.error)
  await using own = started.value
  const service = { url: new URL(`${own.url}/`), token: await mint(own.settings) }
  return await demonstrate(session, service, options.timeout)
}

/** A token that was given counts; else, in development, one of the data directory that the service should share. */
async function givenService(session: Session, url: string, token: string | undefined): Promise<Result<Service, Failure>> {
  const read = readService(session, token === undefined ? { url } : { url, token })
  if (read.isErr()) return err(read.error)
  const reached = await getJson(session, read.value, '/health')
  if (reached.isErr()) return err(reached.error)
  if (reached.value.body === null) {
    return err(unavailable('not-the-service', `What answers at ${read.value.url.href} is not the Config API.`, 'Mend --url.'))
  }
  if (read.value.token !== null) return ok(read.value)
  const settings = settingsOf(session)
  if (settings.isErr()) return err(settings.error)
  if (settings.value.env !== 'development') {
    return err(
      refused('token-needed', 'Outside development the demonstration needs a token.', `Give one with ${neededScope} in CBP_TOKEN.`),
    )
  }
  return ok({ ...read.value, token: await mint(settings.value) })
}

async function mint({ dataDir, jwt }: Settings): Promise<string> {
  const request = { subject: 'demo', scope: neededScope, expiresInSeconds: tokenLifeSeconds, issuer: jwt.issuer, audience: jwt.audience }
  return (await mintToken(await loadDevelopmentKey(dataDir), request)).token
}

async function demonstrate(session: Session, service: Service, timeoutSeconds: number): Promise<Result<Answer | null, Failure>> {
  const startedAt = performance.now()
  const narration = openNarration(session)
  await using receiver = await openReceiver()
  const stage: Stage = { session, service, receiver, narration, timeoutMs: timeoutSeconds * 1000 }
  const subscribed = await subscribe(stage)
  let outcome: Result<string, Failure> = err(subscribed.isErr() ? subscribed.error : neverTried)
  if (subscribed.isOk()) {
    outcome = await payOnce(stage)
    const removed = await unsubscribe(stage, subscribed.value)
    if (removed.isErr() && outcome.isOk()) outcome = err(removed.error)
  }
  const ms = Math.round(performance.now() - startedAt)
  if (session.json && !session.io.cancel.aborted) return ok(documentOf(service, narration, outcome, ms))
  if (outcome.isErr()) return err(outcome.error)
  await session.print(`${session.outStyle.paint('green', '✔')} All ${narration.steps.length} steps went as they should, in ${ms} ms.\n`)
  return ok(null)
}

const neverTried: Failure = { exitCode: exitCodes.refused, code: 'never-tried', detail: 'Nothing was tried.' }

function documentOf({ url }: Service, { steps }: Narration, outcome: Result<string, Failure>, ms: number): Answer {
  const json = { url: url.href, passed: outcome.isOk(), paymentId: outcome.unwrapOr(null), ms, steps }
  return { json, text: () => '', exitCode: outcome.isOk() ? exitCodes.done : exitCodes.refused }
}
