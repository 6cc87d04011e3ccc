import { type Subscription, timestamp, type Uuid, type WebhookSecret, type WithSecret } from '@cbp/core'
import { subscriptionBody, subscriptionWithSecretBody } from '@cbp/http/bodies'
import type { Result } from 'neverthrow'
import { readId } from '../inputs.ts'
import type { Failure } from '../output/failure.ts'
import { renderFields } from '../output/fields.ts'
import { plain, type Style } from '../output/style.ts'
import type { Answer, Session } from '../session.ts'

export function readSubscriptionId(text: string): Result<Uuid, Failure> {
  return readId('subscription', text, 'cbp webhook list')
}

export function subscriptionAnswer(subscription: Subscription, headline: string): Answer {
  return {
    json: subscriptionBody(subscription),
    text: (style) => `${style.paint('green', '✔')} ${plain(headline)}\n${subscriptionFields(style, subscription)}`,
  }
}

/** The only time that a secret is told. */
export function secretAnswer({ notice }: Session, made: WithSecret, headline: string): Answer {
  notice('secret-shown-once', 'The secret is shown this once. Keep it where secrets are kept; cbp webhook rotate makes another.')
  return {
    json: subscriptionWithSecretBody(made),
    text: (style) => `${style.paint('green', '✔')} ${plain(headline)}\n${subscriptionFields(style, made.subscription, made.secret)}`,
  }
}

export function subscriptionFields(style: Style, subscription: Subscription, secret: WebhookSecret | null = null): string {
  const { statuses, components } = subscription.filter
  const older = subscription.secrets.slice(1).flatMap(({ expiresAt }) => (expiresAt === null ? [] : [timestamp(expiresAt)]))
  return renderFields(style, [
    ['id', subscription.id],
    ['secret', secret],
    ['url', subscription.url],
    ['types', subscription.types.join(', ')],
    ['status', statusOf(subscription)],
    ['only payments', statuses === null ? null : statuses.join(', ')],
    ['only components', components === null ? null : components.join(', ')],
    ['description', subscription.description],
    ['client', subscription.client],
    ['older secrets', older.length === 0 ? null : `until ${older.join(', ')}`],
    ['version', String(subscription.version)],
    ['created', timestamp(subscription.createdAt)],
    ['updated', timestamp(subscription.updatedAt)],
  ])
}

export function statusOf({ status, disabledBecause }: Subscription): string {
  return disabledBecause === null ? status : `${status}: ${disabledBecause}`
}
