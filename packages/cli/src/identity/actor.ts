import type { Caller, Reach, Viewer } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import type { Failure } from '../output/failure.ts'
import type { Session } from '../session.ts'

/** In whose name a command acts, what it may see, and what its subscriptions may hear. */
export type Actor = Readonly<{ caller: Caller; viewer: Viewer; reach: Reach }>

/**
 * An operator works on the stores themselves and sees everything. A token in CBP_TOKEN makes the command act as its
 * client instead, which owns what it makes and sees what its client sees. What the token permits is not asked: whoever
 * can open the stores needs no permission of the service.
 */
export async function actorOf(session: Session, { caller }: OpenCore): Promise<Result<Actor, Failure>> {
  const token = session.io.env['CBP_TOKEN'] ?? ''
  if (token === '') {
    return ok({ caller, viewer: { client: caller.client, seesAll: true }, reach: { allClients: true, system: true } })
  }
  const identified = await session.host.identify(session, token)
  if (identified.isErr()) return err(identified.error)
  const { reachOf, viewerOf } = await import('@cbp/core')
  const viewer = viewerOf(identified.value)
  return ok({ caller: { ...caller, client: viewer.client }, viewer, reach: reachOf(identified.value) })
}
