import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseRedisUrl, redisConfigCache, redisConnection } from '@cbp/adapters-redis'
import type { CacheRecord, Revision } from '@cbp/core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RabbitCluster, rabbitCanBeStarted, startRabbit } from '../packages/adapters-amqp/tests/rabbitmq.ts'
import {
  freePort,
  hasRedisServer,
  type RedisServer,
  realClock,
  realRandom,
  startCluster,
  startRedis,
} from '../packages/adapters-redis/tests/redis.ts'
import { certificateAuthority } from './lib/certificates.ts'
import { healthOf } from './lib/instances.ts'
import { startService } from './lib/running-service.ts'

const folder = mkdtempSync(join(tmpdir(), 'cbp-engines-tls-'))
const file = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Details = Parameters<Awaited<ReturnType<typeof certificateAuthority>>['issue']>[0]

/** What servers present, for `localhost` by name alone, and what their clients trust. */
let authorityPem: string
const certificates: Readonly<Record<string, Details>> = {
  good: { names: ['localhost'] },
  misnamed: { names: ['other.example'] },
  expired: { names: ['localhost'], validFromDays: -20, validToDays: -10 },
}

beforeAll(async () => {
  const authority = await certificateAuthority()
  authorityPem = authority.cert
  writeFileSync(file('authority.pem'), authorityPem)
  for (const [name, details] of Object.entries(certificates)) {
    const { cert, key } = await authority.issue(details)
    writeFileSync(file(`${name}.pem`), cert)
    writeFileSync(file(`${name}.key.pem`), key, { mode: 0o600 })
  }
})

const redisOptions = (name: string): readonly string[] => [
  ...['--tls-cert-file', file(`${name}.pem`), '--tls-key-file', file(`${name}.key.pem`)],
  ...['--tls-ca-cert-file', file('authority.pem'), '--tls-auth-clients', 'no'],
]

const log = { write: () => {} }

describe.skipIf(!hasRedisServer())('Redis over TLS', () => {
  const connectTo = (url: string, trusted?: string): ReturnType<typeof redisConnection> => {
    const target = parseRedisUrl(url)._unsafeUnwrap()
    const trust = trusted === undefined ? {} : { certificateAuthority: trusted }
    return redisConnection({ target, clock: realClock, random: realRandom, log, deadlineMs: 5_000, ...trust })
  }

  it.each([
    ['good', true, 'pass', 'Redis answers'],
    ['good', false, 'warn', 'certificate'],
    ['misnamed', true, 'warn', 'other.example'],
    ['expired', true, 'warn', 'expired'],
  ] as const)('with a %s certificate, whose authority is trusted: %s, health is %s', async (name, isTrusted, status, output) => {
    const server = await startRedis('--tls-port', ...redisOptions(name))
    const connection = connectTo(`rediss://localhost:${server.port}`, isTrusted ? authorityPem : undefined)
    try {
      expect(await connection.health()).toEqual({ status, output: expect.stringContaining(output) })
    } finally {
      await connection.close()
      await server.stop()
    }
  })

  it('reaches the nodes of a cluster by the names in their certificates', async () => {
    const cluster = await startCluster()
    const ports = await Promise.all(cluster.nodes.map((node) => serveTlsToo(node)))
    const url = ports.map((port) => `rediss://localhost:${port}`).join(',')
    const [connection, wary] = [connectTo(url, authorityPem), connectTo(url)]
    try {
      await vi.waitFor(
        async () => expect(await wary.health()).toEqual({ status: 'warn', output: expect.stringContaining('certificate') }),
        { timeout: 15_000, interval: 100 },
      )
      await vi.waitFor(async () => expect(await connection.health()).toEqual({ status: 'pass', output: 'all 3 nodes of Redis answer' }), {
        timeout: 15_000,
        interval: 200,
      })
      const record: CacheRecord = { stamp: 1 as Revision, revision: 1 as Revision, entry: null }
      const names = Array.from({ length: 20 }, (_, index) => `name ${index}`)
      const cache = redisConfigCache(connection)
      expect(new Set(await Promise.all(names.map((name) => cache.keep(name, record, 60_000))))).toEqual(new Set(['kept']))
      expect(await Promise.all(names.map((name) => cache.read(name)))).toEqual(names.map(() => record))
    } finally {
      await Promise.all([connection.close(), wary.close()])
      await cluster.stop()
    }
  }, 40_000)

  /** Beside the port that the other nodes and the tests use. */
  async function serveTlsToo({ admin }: RedisServer): Promise<number> {
    const port = await freePort()
    const options = redisOptions('good').map((option) => option.replace(/^--/, ''))
    const names = ['cluster-announce-hostname', 'localhost', 'cluster-preferred-endpoint-type', 'hostname']
    await admin.call('CONFIG', 'SET', ...options, ...names, 'tls-port', port, 'cluster-announce-port', port)
    return port
  }
})

const missing = [rabbitCanBeStarted() ? [] : ['rabbitmq-server'], hasRedisServer() ? [] : ['redis-server']].flat()
const without = missing.length === 0 ? '' : ` (skipped: ${missing.join(' and ')} not on PATH)`

describe.skipIf(missing.length > 0)(`the service, over TLS to Redis and RabbitMQ${without}`, { timeout: 60_000 }, () => {
  let redis: RedisServer
  let rabbit: RabbitCluster
  let engines: Readonly<Record<string, string>>
  beforeAll(async () => {
    const port = await freePort()
    const listener = [
      `listeners.ssl.1 = 127.0.0.1:${port}`,
      `ssl_options.cacertfile = ${file('authority.pem')}`,
      `ssl_options.certfile = ${file('good.pem')}`,
      `ssl_options.keyfile = ${file('good.key.pem')}`,
    ]
    ;[redis, rabbit] = await Promise.all([startRedis('--tls-port', ...redisOptions('good')), startRabbit(1, listener)])
    engines = { CBP_REDIS_URL: `rediss://localhost:${redis.port}`, CBP_AMQP_URL: `amqps://guest:guest@localhost:${port}` }
  }, 100_000)
  afterAll(async () => {
    await Promise.all([redis?.stop(), rabbit?.stop()])
  })

  const withService = async (env: Readonly<Record<string, string>>, test: (url: string) => Promise<void>): Promise<void> => {
    const service = await startService(mkdtempSync(join(folder, 'data-')), 0, { ...engines, ...env })
    try {
      await test(service.url)
    } finally {
      await service.stop()
    }
  }

  it('works with both when NODE_EXTRA_CA_CERTS names their authority', () =>
    withService({ NODE_EXTRA_CA_CERTS: file('authority.pem') }, async (url) => {
      for (const part of ['cache', 'queue'] as const) {
        await vi.waitFor(async () => expect(await healthOf(url, part)).toMatchObject({ status: 'pass' }), {
          timeout: 15_000,
          interval: 100,
        })
      }
    }))

  it('says what is wrong, and speaks to neither, when their authority is nobody it knows', () =>
    withService({}, async (url) => {
      for (const part of ['cache', 'queue'] as const) {
        await vi.waitFor(
          async () => expect(await healthOf(url, part)).toMatchObject({ status: 'warn', output: expect.stringMatching(/certificate/) }),
          { timeout: 15_000, interval: 100 },
        )
      }
    }))

  it('says what is wrong when a certificate is for another name', () =>
    withService(
      { NODE_EXTRA_CA_CERTS: file('authority.pem'), CBP_AMQP_URL: (engines['CBP_AMQP_URL'] ?? '').replace('localhost', '127.0.0.1') },
      async (url) => {
        await vi.waitFor(
          async () => expect(await healthOf(url, 'queue')).toMatchObject({ status: 'warn', output: expect.stringContaining('127.0.0.1') }),
          { timeout: 15_000, interval: 100 },
        )
        expect((await healthOf(url, 'queue')).output).toMatch(/altname|certificate/i)
      },
    ))
})
