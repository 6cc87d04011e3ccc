import { fakeClock } from '../kernel/testing/fake-clock.ts'
import { fakeStore } from './fake-store/fake-store.ts'
import { paymentStoreContract } from './payment-store.contract.ts'

paymentStoreContract(async () => {
  const clock = fakeClock()
  return { ...fakeStore(clock), clock }
}, 200)
