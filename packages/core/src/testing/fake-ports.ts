import type { ConfigCache } from '../config/index.ts'
import { fakeConfigCache } from '../config/testing/fake-config-cache.ts'
import { type FakeEventBroker, fakeEventBroker } from '../events/testing/fake-event-broker.ts'
import { type FakeClock, fakeClock } from '../kernel/testing/fake-clock.ts'
import { fakeDigest } from '../kernel/testing/fake-digest.ts'
import { fakeIds } from '../kernel/testing/fake-ids.ts'
import { type FakeLog, fakeLog } from '../kernel/testing/fake-log.ts'
import { fakeRandom } from '../kernel/testing/fake-random.ts'
import { fakeSignals } from '../kernel/testing/fake-signals.ts'
import type { Ports } from '../ports.ts'
import { fakeStore, type StorePorts } from './fake-store/fake-store.ts'

/** Ports whose fakes tell more than the port does. */
export type FakePorts = Omit<Ports, 'clock' | 'log' | 'eventBroker' | keyof StorePorts> &
  StorePorts &
  Readonly<{ clock: FakeClock; log: FakeLog; eventBroker: FakeEventBroker; configCache: ConfigCache }>

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
    ...overrides,
  }
}
