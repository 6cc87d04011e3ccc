import type { Subscription } from '@cbp/core'
import { subscriptionBody } from '@cbp/http/bodies'
import { err, ok, safeTry } from 'neverthrow'
import { confirm } from '../confirm.ts'
import { actorOf } from '../identity/actor.ts'
import { readOptionalId } from '../inputs.ts'
import type { Failure } from '../output/failure.ts'
import { pageAnswer } from '../output/page-answer.ts'
import { plain } from '../output/style.ts'
import { readPages } from '../paging.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readSubscriptionId, statusOf, subscriptionAnswer, subscriptionFields } from './subscription-answer.ts'

export type ListOptions = Readonly<{ limit: number; before?: string; all?: boolean }>

const columns = [{ title: 'id' }, { title: 'status' }, { title: 'url' }, { title: 'types' }, { title: 'client' }] as const

export const listSubscriptions: Action<[], ListOptions> = async (session, { limit, before, all = false }) => {
  const start = readOptionalId('--before', before)
  if (start.isErr()) return err(start.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const request = { start: start.value, limit, all }
      const page = yield* await readPages(session, request, (position, count) => open.core.webhooks.subscriptions(viewer, position, count))
      const listing = { older: 'subscriptions', none: 'There are no subscriptions.', body: subscriptionBody, columns, row: rowOf }
      return ok<Answer, Failure>(pageAnswer(session, page, listing))
    }),
  )
}

function rowOf(subscription: Subscription): readonly string[] {
  const { id, url, types, client } = subscription
  return [id, statusOf(subscription), url, types.join(', '), client]
}

export const showSubscription: Action<[id: string], unknown> = async (session, _options, id) => {
  const read = readSubscriptionId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const subscription = yield* settle(session, open.core.webhooks.subscription(viewer, read.value))
      return ok<Answer, Failure>({ json: subscriptionBody(subscription), text: (style) => subscriptionFields(style, subscription) })
    }),
  )
}

export const removeSubscription: Action<[id: string], unknown> = async (session, _options, id) => {
  const read = readSubscriptionId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer, caller } = yield* await actorOf(session, open)
      const before = yield* settle(session, open.core.webhooks.subscription(viewer, read.value))
      yield* await confirm(session, `Remove the subscription of ${plain(before.url)}, and cancel what is still to be sent there?`)
      const removed = yield* settle(session, open.core.webhooks.unsubscribe({ id: read.value, viewer, caller, version: before.version }))
      return ok(subscriptionAnswer(removed, 'The subscription is removed.'))
    }),
  )
}
