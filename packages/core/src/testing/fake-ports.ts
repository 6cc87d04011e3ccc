import { fakeRecipientSeal } from '../access/testing/fake-recipient-seal.ts'
import type { ConfigCache } from '../config/index.ts'
import { fakeConfigCache } from '../config/testing/fake-config-cache.ts'
import { type FakeEventBroker, fakeEventBroker } from '../events/testing/fake-event-broker.ts'
import { type FakeClock, fakeClock } from '../kernel/testing/fake-clock.ts'
import { fakeDigest } from '../kernel/testing/fake-digest.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { fakeKeyRing } from '../kernel/testing/fake-key-ring.ts'
import { type FakeLog, fakeLog } from '../kernel/testing/fake-log.ts'
import { fakeMac } from '../kernel/testing/fake-mac.ts'
import { fakeRandom } from '../kernel/testing/fake-random.ts'
import { fakeSecretSource } from '../kernel/testing/fake-secret-source.ts'
import { fakeSignals } from '../kernel/testing/fake-signals.ts'
import { type FakePaymentService, fakePaymentService } from '../payments/testing/fake-payment-service.ts'
import type { Ports } from '../ports.ts'
import { type FakeUserDirectory, fakeUserDirectory } from '../users/testing/fake-user-directory.ts'
import type { WebhookSecret } from '../webhooks/index.ts'
import { type FakeWebhookTransport, fakeWebhookTransport } from '../webhooks/testing/fake-webhook-transport.ts'
import { fakeStore, type StorePorts } from './fake-store/fake-store.ts'

/** Ports whose fakes tell more than the port does. */
export type FakePorts = Omit<
  Ports,
  'clock' | 'log' | 'eventBroker' | 'paymentService' | 'webhookTransport' | 'userDirectory' | keyof StorePorts
> &
  StorePorts &
  Readonly<{
    clock: FakeClock
    log: FakeLog
    eventBroker: FakeEventBroker
    configCache: ConfigCache
    paymentService: FakePaymentService
    webhookTransport: FakeWebhookTransport
    userDirectory: FakeUserDirectory
  }>

/** What the fake Payment Service would sign its webhooks with. */
export const fakeInboundSecret: WebhookSecret = `whsec_${'A'.repeat(43)}=` as WebhookSecret

/** Everything that core needs of the world, in memory and on one virtual clock; each can be replaced. */
export function fakePorts(): FakePorts
export function fakePorts<Overrides extends Partial<Ports>>(overrides: Overrides): Omit<FakePorts, keyof Overrides> & Overrides
export function fakePorts(overrides: Partial<Ports> = {}): Ports {
  const clock = overrides.clock ?? fakeClock()
  return {
    clock,
    ids: fakeIds({ clock }),
    random: fakeRandom(1),
    digest: fakeDigest(),
    log: fakeLog(),
    signals: fakeSignals(),
    ...fakeStore(clock),
    configCache: fakeConfigCache(clock),
    eventBroker: fakeEventBroker(),
    paymentService: fakePaymentService({ clock }),
    webhookTransport: fakeWebhookTransport(clock),
    recipientSeal: fakeRecipientSeal(),
    userDirectory: fakeUserDirectory(),
    mac: fakeMac(),
    secretSource: fakeSecretSource(),
    keyRing: fakeKeyRing(),
    environment: 'development',
    inboundSecrets: [fakeInboundSecret],
    ...overrides,
  }
}
