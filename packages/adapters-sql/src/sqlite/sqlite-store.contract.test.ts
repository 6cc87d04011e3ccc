import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  apiKeyStoreContract,
  auditStoreContract,
  configStoreContract,
  dataKeyStoreContract,
  deadLetterStoreContract,
  fakeClock,
  fakeRandom,
  outboxContract,
  paymentStoreContract,
  recordsContract,
  type StoreHarness,
  transactionsContract,
  webhookStoreContract,
} from '@cbp/core/testing'
import { openSqliteStore } from './sqlite-store.ts'

async function open(): Promise<StoreHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'cbp-sqlite-'))
  const clock = fakeClock()
  const store = (await openSqliteStore({ path: join(directory, 'store.db'), clock, random: fakeRandom(1) }))._unsafeUnwrap()
  return {
    ...store,
    clock,
    async close() {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
}

transactionsContract(open, 20)
configStoreContract(open, 20)
outboxContract(open, 50)
recordsContract(open, 20)
paymentStoreContract(open, 20)
deadLetterStoreContract(open, 20)
webhookStoreContract(open, 20)
apiKeyStoreContract(open, 20)
auditStoreContract(open, 20)
dataKeyStoreContract(open, 20)
