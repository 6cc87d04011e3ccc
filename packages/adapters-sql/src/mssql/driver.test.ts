import { describe, expect, it } from 'vitest'
import { type LoginRecorder, recordLogins } from '../../tests/mssql/login-recorder.ts'
import { openDriver, poolConfig } from './driver.ts'
import { lazyDriver } from './lazy-driver.ts'
import { type MssqlAddress, parseMssqlUrl } from './mssql-url.ts'

const address = (url: string): MssqlAddress => parseMssqlUrl(url)._unsafeUnwrap()
const options = { readOnlyIntent: false, acquireTimeoutMs: 1000 }

async function recording(test: (recorder: LoginRecorder, at: MssqlAddress) => Promise<void>): Promise<void> {
  const recorder = await recordLogins()
  try {
    await test(recorder, { ...address('mssql://user:word@127.0.0.1/cbp?encrypt=false'), port: recorder.port })
  } finally {
    await recorder.close()
  }
}

describe('a pool of SQL Server', () => {
  it('encrypts and holds certificates against their authorities unless told otherwise', () => {
    expect(poolConfig(address('mssql://user:word@host/cbp'), options).options).toMatchObject({
      encrypt: true,
      trustServerCertificate: false,
    })
  })

  it('tries all addresses of a listener at once where the URL says so', () => {
    const { options: given } = poolConfig(address('mssql://user:word@listener/cbp?multiSubnetFailover=true'), options)
    expect(given).toMatchObject({ multiSubnetFailover: true })
  })

  it.each([true, false])('logs in with read-only intent: %s', (readOnlyIntent) =>
    recording(async ({ logins }, at) => {
      await expect(openDriver(at, { ...options, readOnlyIntent })).rejects.toThrow()
      expect(logins).toEqual([{ readOnlyIntent }])
    }),
  )
})

describe('a pool that is opened with its first use', () => {
  it('does not log in before, and tries again after a failure', () =>
    recording(async ({ logins }, at) => {
      const driver = lazyDriver(() => openDriver(at, options))
      expect(logins).toHaveLength(0)
      for (const count of [1, 2]) {
        await expect(driver.run({ sql: 'SELECT 1 AS one', parameters: {} })).rejects.toThrow()
        expect(logins).toHaveLength(count)
      }
      await driver.close()
    }))
})
