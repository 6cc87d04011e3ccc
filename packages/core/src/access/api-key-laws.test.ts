import { fakeClock } from '../kernel/testing/fake-clock.ts'
import { fakeStore } from '../testing/fake-store/fake-store.ts'
import { apiKeyLaws } from './testing/api-key-laws.ts'

apiKeyLaws(async () => ({ ...fakeStore(fakeClock()), close: async () => {} }), 200)
