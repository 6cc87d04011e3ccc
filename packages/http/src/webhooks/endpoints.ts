import type { AppDependencies } from '../server/dependencies.ts'
import type { Endpoint } from '../server/endpoint.ts'
import { subscriptionChangeEndpoints } from './changes.ts'
import { deliveryEndpoints } from './deliveries.ts'
import { receiveEndpoint } from './receive.ts'
import { subscriptionEndpoints } from './subscriptions.ts'

export function webhookEndpoints({ core: { webhooks }, edge, log }: Pick<AppDependencies, 'core' | 'edge' | 'log'>): readonly Endpoint[] {
  return [
    receiveEndpoint(webhooks, edge, log),
    ...subscriptionEndpoints(webhooks),
    ...subscriptionChangeEndpoints(webhooks),
    ...deliveryEndpoints(webhooks),
  ]
}
