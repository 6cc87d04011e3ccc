import { fakeClock } from '../../kernel/testing/fake-clock.ts'
import { configCacheContract } from './config-cache.contract.ts'
import { fakeConfigCache } from './fake-config-cache.ts'

configCacheContract(async () => {
  const clock = fakeClock()
  return { cache: fakeConfigCache(clock), clock }
}, 200)
