import {
  apiKeyStoreContract,
  auditStoreContract,
  configStoreContract,
  dataKeyStoreContract,
  deadLetterStoreContract,
  outboxContract,
  paymentStoreContract,
  recordsContract,
  transactionsContract,
  webhookStoreContract,
} from '@cbp/core/testing'
import { afterAll, beforeAll, describe } from 'vitest'
import { createTestDatabase, serverUrl, type TestDatabase } from './test-database.ts'

const runs = Number(process.env['CBP_TEST_MSSQL_RUNS'] ?? 5)

describe.skipIf(serverUrl === undefined)('the contracts on SQL Server', { timeout: 120_000 }, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  }, 120_000)
  afterAll(() => database.drop(), 60_000)

  const open = () => database.open()
  transactionsContract(open, runs)
  configStoreContract(open, runs)
  outboxContract(open, runs)
  recordsContract(open, runs)
  paymentStoreContract(open, runs)
  deadLetterStoreContract(open, runs)
  webhookStoreContract(open, runs)
  apiKeyStoreContract(open, runs)
  auditStoreContract(open, runs)
  dataKeyStoreContract(open, runs)
})
