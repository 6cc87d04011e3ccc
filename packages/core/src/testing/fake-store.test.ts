import { fakeClock } from '../kernel/testing/fake-clock.ts'
import { apiKeyStoreContract } from './api-key-store.contract.ts'
import { auditStoreContract } from './audit-store.contract.ts'
import { configStoreContract } from './config-store.contract.ts'
import { dataKeyStoreContract } from './data-key-store.contract.ts'
import { deadLetterStoreContract } from './dead-letter-store.contract.ts'
import { fakeStore } from './fake-store/fake-store.ts'
import { outboxContract } from './outbox.contract.ts'
import { recordsContract } from './records.contract.ts'
import type { StoreHarness } from './store-units.ts'
import { transactionsContract } from './transactions.contract.ts'

async function open(): Promise<StoreHarness> {
  const clock = fakeClock()
  return { ...fakeStore(clock), clock }
}

transactionsContract(open, 200)
configStoreContract(open, 200)
outboxContract(open, 200)
recordsContract(open, 100)
deadLetterStoreContract(open, 200)
apiKeyStoreContract(open, 200)
auditStoreContract(open, 200)
dataKeyStoreContract(open, 200)
