import { fakeClock } from '../../kernel/testing/fake-clock.ts'
import { fakeStore } from '../../testing/fake-store/fake-store.ts'
import { webhookStoreContract } from '../../testing/webhook-store.contract.ts'

webhookStoreContract(async () => {
  const clock = fakeClock()
  return { ...fakeStore(clock), clock }
}, 100)
