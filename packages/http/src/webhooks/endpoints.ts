import type { AppDependencies } from '../server/dependencies.ts'
import type { Endpoint } from '../server/endpoint.ts'
import { subscriptionChangeEndpoints } from './changes.ts'
import { deliveryEndpoints } from './deliveries.ts'
import { receiveEndpoint } from './receive.ts'
import { subscriptionEndpoints } from './subscriptions.ts'

export function webhookEndpoints({ core: { webhooks }, log }: Pick<AppDependencies, 'core' | 'log'>): readonly Endpoint[] {
  return [
    receiveEndpoint(webhooks, log),
    ...subscriptionEndpoints(webhooks),
    ...subscriptionChangeEndpoints(webhooks),
    ...deliveryEndpoints(webhooks),
  ]
}
