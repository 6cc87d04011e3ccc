import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasRedisServer, type RedisServer, startRedis } from '../packages/adapters-redis/tests/redis.ts'
import { type Instances, openInstances } from './lib/instances.ts'

const limit = 1000

describe.skipIf(!hasRedisServer())('two instances that share Redis', () => {
  let redis: RedisServer
  let instances: Instances

  beforeAll(async () => {
    redis = await startRedis()
    instances = await openInstances({ CBP_REDIS_URL: `redis://127.0.0.1:${redis.port}` }, 'as-shipped')
  })
  afterAll(async () => {
    await instances?.close()
    await redis?.stop()
  })

  it('L19: admit a thousand of one address between them, and refuse the next at either', async () => {
    const urls = instances.urls()
    const ask = async (index: number): Promise<number> => (await fetch(`${urls[index % urls.length]}/problems/not-found`)).status
    const answered: number[] = []
    // Fewer at a time than an instance takes on at once.
    for (let asked = 0; asked < limit; asked += 50) {
      answered.push(...(await Promise.all(Array.from({ length: 50 }, (_, index) => ask(asked + index)))))
    }
    expect(answered.filter((status) => status === 200)).toHaveLength(limit)
    expect([await ask(0), await ask(1)]).toEqual([429, 429])
    const refused = await fetch(`${urls[0]}/problems/not-found`)
    expect([refused.headers.get('ratelimit-policy'), Number(refused.headers.get('retry-after')) > 0]).toEqual([
      '"per-ip";q=1000;w=900, "per-client";q=1000;w=900',
      true,
    ])
  })
})
