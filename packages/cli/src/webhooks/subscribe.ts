import {
  type Component,
  type PaymentStatus,
  parseComponent,
  type Subscription,
  type SubscriptionDetails,
  subscriptionLimits,
  type WebhookType,
} from '@cbp/core'
import { err, ok, Result, safeTry } from 'neverthrow'
import { readName } from '../config/inputs.ts'
import type { OpenCore } from '../host.ts'
import { type Actor, actorOf } from '../identity/actor.ts'
import { readText } from '../inputs.ts'
import { type Failure, usageFailure } from '../output/failure.ts'
import type { Action, Answer, Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readSubscriptionId, secretAnswer, subscriptionAnswer } from './subscription-answer.ts'
import { paymentTypes } from './types.ts'

type DetailOptions = Readonly<{
  types?: readonly WebhookType[]
  status?: readonly PaymentStatus[]
  component?: readonly string[]
  description?: string
}>

export type AddOptions = DetailOptions & Readonly<{ url: string }>
export type AmendOptions = DetailOptions & Readonly<{ url?: string; ifVersion?: number }>

export const addSubscription: Action<[], AddOptions> = async (session, options) => {
  const checked = readDetails(options)
  if (checked.isErr()) return err(checked.error)
  const { description, components } = checked.value
  const details: SubscriptionDetails = {
    url: options.url,
    description,
    types: options.types ?? paymentTypes,
    filter: { statuses: options.status ?? null, components },
  }
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { caller, reach } = yield* await actorOf(session, open)
      const made = yield* settle(session, open.core.webhooks.subscribe({ details, reach, caller }))
      return ok(secretAnswer(session, made, 'The endpoint is subscribed.'))
    }),
  )
}

/** `null`: not given. */
type CheckedDetails = Readonly<{ description: string | null; components: readonly Component[] | null }>

function readDetails({ description, component }: DetailOptions): Result<CheckedDetails, Failure> {
  return safeTry(function* () {
    return ok({
      description: description === undefined ? null : yield* readDescription(description),
      components: component === undefined ? null : yield* Result.combine(component.map((each) => readName(parseComponent(each)))),
    })
  })
}

function readDescription(text: string): Result<string, Failure> {
  const read = readText('--description', text, subscriptionLimits.description, 'say what it is for, or leave it out')
  return read.andThen((description) =>
    /\p{Cc}/u.test(description)
      ? err(usageFailure('invalid-description', '--description takes one line, without control characters.'))
      : ok(description),
  )
}

export const amendSubscription: Action<[id: string], AmendOptions> = async (session, options, id) => {
  const { url, types, status, component, ifVersion } = options
  if ([url, types, status, component, options.description].every((given) => given === undefined)) {
    return err(usageFailure('nothing-to-amend', 'Nothing to change was named.', 'Name it, e.g. --types PAYMENT_COMPLETED.'))
  }
  const checked = readDetails(options)
  if (checked.isErr()) return err(checked.error)
  const { description, components } = checked.value
  return amend(session, id, async ({ core, viewer }, subscriptionId) => {
    const read = await settle(session, core.webhooks.subscription(viewer, subscriptionId))
    return read.map(({ filter, version }) => ({
      amendment: {
        ...(url === undefined ? {} : { url }),
        ...(description === null ? {} : { description }),
        ...(types === undefined ? {} : { types }),
        ...(status === undefined && components === null
          ? {}
          : { filter: { statuses: status ?? filter.statuses, components: components ?? filter.components } }),
      },
      version: ifVersion ?? version,
      headline: 'The subscription is amended.',
    }))
  })
}

export const enableSubscription: Action<[id: string], unknown> = (session, _options, id) =>
  amend(session, id, async () => ok({ amendment: { active: true }, version: null, headline: 'The subscription is enabled.' }))

export const disableSubscription: Action<[id: string], unknown> = (session, _options, id) =>
  amend(session, id, async () => ok({ amendment: { active: false }, version: null, headline: 'The subscription is disabled.' }))

export const rotateSecret: Action<[id: string], unknown> = async (session, _options, id) => {
  const read = readSubscriptionId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer, caller } = yield* await actorOf(session, open)
      const made = yield* settle(session, open.core.webhooks.rotateSecret({ id: read.value, viewer, caller }))
      return ok(secretAnswer(session, made, 'The subscription has a new secret; the one before signs beside it for 24 hours.'))
    }),
  )
}

type Change = Readonly<{
  amendment: Partial<SubscriptionDetails> & Readonly<{ active?: boolean }>
  /** `null`: whatever is there. */
  version: number | null
  headline: string
}>

async function amend(
  session: Session,
  id: string,
  prepare: (open: OpenCore & Actor, id: Subscription['id']) => Promise<Result<Change, Failure>>,
): Promise<Result<Answer, Failure>> {
  const read = readSubscriptionId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const actor = yield* await actorOf(session, open)
      const { amendment, version, headline } = yield* await prepare({ ...open, ...actor }, read.value)
      const amended = yield* settle(session, open.core.webhooks.amend({ id: read.value, ...actor, amendment, version }))
      return ok(subscriptionAnswer(amended, headline))
    }),
  )
}
