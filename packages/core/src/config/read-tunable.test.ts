import { errAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { storeUnavailable } from '../kernel/failures.ts'
import { tunables } from './shipped-defaults.ts'
import { address, okOf, serviceUnderTest } from './testing/service-under-test.ts'

const lease = address('delivery/relay.lease-ms')

describe('tunable', () => {
  it('is the shipped default until it is set, and live from then on', async () => {
    const { core, put } = serviceUnderTest()
    expect(await core.config.tunable(tunables.relayLeaseMs)).toBe(10_000)
    okOf(await put(lease, 5000))
    expect(await core.config.tunable(tunables.relayLeaseMs)).toBe(5000)
  })

  it('stays what it was while the store cannot be read', async () => {
    let isAway = false
    const { core, put } = serviceUnderTest((fakes) => ({
      ...fakes,
      configCache: { read: async () => null, write: async () => {} },
      configStore: {
        ...fakes.configStore,
        chain: (...args) => (isAway ? errAsync(storeUnavailable('no connection')) : fakes.configStore.chain(...args)),
      },
    }))
    okOf(await put(lease, 5000))
    await core.config.tunable(tunables.relayLeaseMs)
    isAway = true
    expect(await core.config.tunable(tunables.relayLeaseMs)).toBe(5000)
    expect(await core.config.tunable(tunables.webhookTimeoutMs)).toBe(15_000)
  })

  it('falls back to the shipped default where a stored value does not fit, and says so once', async () => {
    const { core, put, ports } = serviceUnderTest()
    okOf(await put(lease, 5000))
    const stricter = { ...tunables.relayLeaseMs, schema: tunables.relayLeaseMs.schema.refine((value) => value > 6000) }
    for (let read = 0; read < 3; read += 1) expect(await core.config.tunable(stricter)).toBe(10_000)
    expect(ports.log.entries.filter(({ level }) => level === 'error')).toHaveLength(1)
  })
})
