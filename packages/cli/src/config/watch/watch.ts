import { type Component, parseComponent, parseScope, type Scope } from '@cbp/core'
import { err, ok, type Result, safeTry } from 'neverthrow'
import type { Failure } from '../../output/failure.ts'
import { readService, type ServiceOptions } from '../../remote/service.ts'
import type { Action } from '../../session.ts'
import { usingCore } from '../../settle.ts'
import { readName } from '../inputs.ts'
import { watchService } from './service-watch.ts'
import { watchStore } from './store-watch.ts'

export type WatchOptions = ServiceOptions & Readonly<{ component?: string; scope?: string; since?: string; strict?: boolean }>

/** What to follow, and from where. */
export type WatchRequest = Readonly<{
  component: Component | null
  scope: Scope | null
  /** `null`: from the head. */
  since: string | null
  /** A history that was replaced ends the watch. */
  strict: boolean
}>

export const watchConfig: Action<[], WatchOptions> = async (session, options) => {
  const request = readRequest(options)
  if (request.isErr()) return err(request.error)
  if (options.url === undefined) return usingCore(session, ({ core }) => watchStore(session, core.config, request.value))
  const { url, token } = options
  const service = readService(session, token === undefined ? { url } : { url, token })
  if (service.isErr()) return err(service.error)
  return watchService(session, service.value, request.value, await session.host.waiting())
}

function readRequest({ component, scope, since, strict }: WatchOptions): Result<WatchRequest, Failure> {
  return safeTry(function* () {
    return ok({
      component: component === undefined ? null : yield* readName(parseComponent(component)),
      scope: scope === undefined ? null : yield* readName(parseScope(scope)),
      since: since ?? null,
      strict: strict === true,
    })
  })
}
