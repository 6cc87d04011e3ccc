import { type DeliveryAttempt, type DeliveryStatus, timestamp, type Uuid, type Viewer, type WebhookDelivery } from '@cbp/core'
import { deliveryBody } from '@cbp/http/bodies'
import { err, ok, type Result, safeTry } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import { type Actor, actorOf } from '../identity/actor.ts'
import { readId, readOptionalId } from '../inputs.ts'
import { type Failure, usageFailure } from '../output/failure.ts'
import { renderFields } from '../output/fields.ts'
import { pageAnswer } from '../output/page-answer.ts'
import { plain, type Style } from '../output/style.ts'
import { renderTable } from '../output/table.ts'
import { readPages } from '../paging.ts'
import type { Action, Answer, Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readSubscriptionId } from './subscription-answer.ts'

export type DeliveriesOptions = Readonly<{ subscription?: string; status?: DeliveryStatus; limit: number; before?: string; all?: boolean }>

export const listDeliveries: Action<[id: string | undefined], DeliveriesOptions> = async (session, options, id) => {
  if (id !== undefined) return showDelivery(session, options, id)
  const inputs = safeTry(function* () {
    const subscriptionId = yield* readOptionalId('--subscription', options.subscription)
    return ok({ filter: { subscriptionId, status: options.status ?? null }, start: yield* readOptionalId('--before', options.before) })
  })
  if (inputs.isErr()) return err(inputs.error)
  const { filter, start } = inputs.value
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const request = { start, limit: options.limit, all: options.all === true }
      const page = yield* await readPages(session, request, (position, count) =>
        open.core.webhooks.deliveries(viewer, filter, position, count),
      )
      const listing = {
        older: 'deliveries',
        none: 'There are no such deliveries.',
        body: (each: WebhookDelivery) => deliveryBody(each, viewer),
        columns,
        row: rowOf,
      }
      return ok<Answer, Failure>(pageAnswer(session, page, listing))
    }),
  )
}

const columns = [
  { title: 'id' },
  { title: 'type' },
  { title: 'status' },
  { title: 'attempts', align: 'right' },
  { title: 'last answer' },
  { title: 'created' },
  { title: 'next' },
] as const

function rowOf({ id, type, status, attempts, createdAt, dueAt }: WebhookDelivery): readonly string[] {
  const last = attempts.at(-1)
  const answer = last === undefined ? '' : outcomeOf(last)
  return [id, type, status, String(attempts.length), answer, timestamp(createdAt), dueAt === null ? '' : timestamp(dueAt)]
}

async function showDelivery(
  session: Session,
  { subscription, status, before, all }: DeliveriesOptions,
  id: string,
): Promise<Result<Answer, Failure>> {
  if ([subscription, status, before, all].some((given) => given !== undefined)) {
    return err(usageFailure('wrong-usage', 'One delivery is shown as it is: the options are for the list.', 'Leave out either.'))
  }
  return withDelivery(session, id, async ({ core, viewer }, deliveryId) => {
    const read = await settle(session, core.webhooks.delivery(viewer, deliveryId))
    return read.map((delivery) => deliveryAnswer(viewer, delivery, ''))
  })
}

export const replayDelivery: Action<[id: string], unknown> = (session, _options, id) =>
  withDelivery(session, id, async ({ core, viewer, caller }, deliveryId) => {
    const queued = await settle(session, core.webhooks.replay({ id: deliveryId, viewer, caller }))
    return queued.map((delivery) => deliveryAnswer(viewer, delivery, 'The message is queued again; a serving instance sends it.'))
  })

export const sendTest: Action<[id: string], unknown> = async (session, _options, id) => {
  const read = readSubscriptionId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer, caller } = yield* await actorOf(session, open)
      const delivery = yield* settle(session, open.core.webhooks.sendTest({ id: read.value, viewer, caller }))
      return ok(deliveryAnswer(viewer, delivery, 'A test message is queued; a serving instance sends it.'))
    }),
  )
}

async function withDelivery(
  session: Session,
  id: string,
  work: (open: OpenCore & Actor, id: Uuid) => Promise<Result<Answer, Failure>>,
): Promise<Result<Answer, Failure>> {
  const read = readId('delivery', id, 'cbp webhook deliveries')
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const actor = yield* await actorOf(session, open)
      return ok(yield* await work({ ...open, ...actor }, read.value))
    }),
  )
}

const attemptColumns = [
  { title: '#', align: 'right' },
  { title: 'time' },
  { title: 'took', align: 'right' },
  { title: 'outcome' },
  { title: 'answer' },
] as const

function deliveryAnswer(viewer: Viewer, delivery: WebhookDelivery, headline: string): Answer {
  return {
    json: deliveryBody(delivery, viewer),
    text: (style) => {
      const head = headline === '' ? '' : `${style.paint('green', '✔')} ${plain(headline)}\n`
      const attempts = delivery.attempts.map((each) => [
        String(each.number),
        timestamp(each.at),
        `${each.latencyMs} ms`,
        outcomeOf(each),
        viewer.seesAll ? (each.answer ?? '') : '',
      ])
      const table = attempts.length === 0 ? '' : `\n${renderTable(style, attemptColumns, attempts)}`
      return `${head}${deliveryFields(style, delivery)}${table}`
    },
  }
}

function deliveryFields(style: Style, delivery: WebhookDelivery): string {
  const { event, dueAt, endedAt } = delivery
  return renderFields(style, [
    ['id', delivery.id],
    ['type', delivery.type],
    ['status', delivery.status],
    ['subscription', delivery.subscriptionId],
    ['client', delivery.client],
    ['event', event === null ? null : `${event.stream} #${event.sequence}`],
    ['created', timestamp(delivery.createdAt)],
    ['next attempt', dueAt === null ? null : timestamp(dueAt)],
    ['ended', endedAt === null ? null : timestamp(endedAt)],
    ['repeats', delivery.replayOf],
    ['body', delivery.body],
  ])
}

function outcomeOf({ status, error }: DeliveryAttempt): string {
  return error ?? `HTTP ${status}`
}
