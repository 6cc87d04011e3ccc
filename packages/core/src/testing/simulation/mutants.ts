import type { ConfigCache } from '../../config/index.ts'
import type { Core } from '../../create-core.ts'
import type { EventBroker } from '../../events/index.ts'
import type { PaymentService } from '../../payments/index.ts'
import type { Ports } from '../../ports.ts'
import type { WebhookTransport } from '../../webhooks/index.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'

/** A planted bug, put between core and one of its ports, and the law that it breaks. */
export type Mutant = Readonly<{
  name: string
  law: string
  /** In the process: above the faults, below core. */
  host?: (ports: Ports) => Ports
  /** In the store's adapter: below what the simulation observes. */
  store?: (store: StorePorts) => StorePorts
  cache?: (cache: ConfigCache) => ConfigCache
  broker?: (broker: EventBroker) => EventBroker
  /** In the client of the Payment Service, above the network. */
  paymentService?: (service: PaymentService, ports: Pick<Ports, 'clock' | 'ids'>) => PaymentService
  webhookTransport?: (transport: WebhookTransport) => WebhookTransport
  /** Between the callers and core. */
  core?: (core: Core, ports: Ports) => Core
}>
