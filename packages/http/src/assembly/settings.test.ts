import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadEnvironment } from './environment.ts'
import { readSettings, type SettingsFault } from './settings.ts'

function faultsOf(environment: Record<string, string>): readonly SettingsFault[] {
  const read = readSettings(environment, '/srv')
  return read.isErr() ? read.error : []
}

function namesOf(environment: Record<string, string>): readonly string[] {
  return [...new Set(faultsOf(environment).map(({ name }) => name))].sort()
}

/** Everything that production asks for. */
const production: Readonly<Record<string, string>> = {
  CBP_ENV: 'production',
  CBP_JWT_ISSUER: 'https://issuer.example',
  CBP_JWT_JWKS_URL: 'https://issuer.example/keys',
  CBP_KEYRING: 'keyring.json',
  CBP_WEBHOOK_SECRETS: `whsec_${'A'.repeat(32)}`,
  CBP_PAYMENT_SERVICE_URL: 'https://payments.example',
  CBP_USER_SERVICE_URL: 'https://users.example',
  CBP_TRUST_PROXY: '10.0.0.0/8',
}

describe('settings', () => {
  it('find the key ring in any variable, or leave it to a command', () => {
    const ringOf = (ring: string, more: Readonly<Record<string, string>> = {}): unknown => {
      const { keyring, unknown } = readSettings({ CBP_KEYRING: ring, ...more }, '/srv')._unsafeUnwrap()
      expect(unknown).toEqual([])
      return keyring
    }
    expect(ringOf('env:RING', { RING: '{}' })).toMatchObject({ kind: 'environment', name: 'RING', text: { reveal: expect.any(Function) } })
    expect(ringOf('env:CBP_RING', { CBP_RING: '{}' })).toMatchObject({ kind: 'environment', name: 'CBP_RING' })
    expect(ringOf('env:RING')).toMatchObject({ text: null })
    expect(ringOf('command:/usr/bin/keys  --for cbp')).toEqual({ kind: 'command', program: '/usr/bin/keys', args: ['--for', 'cbp'] })
  })

  it('have defaults for development', () => {
    expect(readSettings({}, '/srv')._unsafeUnwrap()).toEqual({
      env: 'development',
      host: '127.0.0.1',
      port: 8080,
      dataDir: '/srv/.cbp',
      sql: { kind: 'sqlite', path: '/srv/.cbp/cbp.sqlite', synchronous: 'full' },
      migrations: 'run',
      redis: null,
      amqpUrls: null,
      jwt: { issuer: 'cbp-development', audience: 'cbp-config-api', jwksUrl: null, secret: null },
      keyring: null,
      webhookSecrets: null,
      paymentServiceUrl: null,
      userServiceUrl: null,
      tls: null,
      logLevel: 'info',
      trustProxy: [],
      unknown: [],
    })
  })

  it('list every fault at once', () => {
    const environment = {
      CBP_ENV: 'production',
      CBP_PORT: '99999',
      CBP_SQL_URL: 'postgres://x',
      CBP_TRUST_PROXY: 'everyone',
      CBP_LOG_LEVEL: 'loud',
      CBP_JWT_SECRET: 'short',
    }
    expect(namesOf(environment)).toEqual([
      'CBP_JWT_ISSUER',
      'CBP_JWT_JWKS_URL',
      'CBP_JWT_SECRET',
      'CBP_KEYRING',
      'CBP_LOG_LEVEL',
      'CBP_PAYMENT_SERVICE_URL',
      'CBP_PORT',
      'CBP_SQL_URL',
      'CBP_TRUST_PROXY',
      'CBP_USER_SERVICE_URL',
      'CBP_WEBHOOK_SECRETS',
    ])
  })

  it.each(['mssql://sa:secret@host:1433', 'mssql://sa:secret@host/cbp?encrypt=maybe', 'sqlite', 'sqlite:x?synchronous=off'])(
    'refuse the store %s',
    (url) => {
      expect(namesOf({ CBP_SQL_URL: url })).toEqual(['CBP_SQL_URL'])
      expect(JSON.stringify(faultsOf({ CBP_SQL_URL: url }))).not.toContain('secret')
    },
  )

  it.each([
    [{ CBP_TLS_CERT: 'server.pem' }, ['CBP_TLS_KEY']],
    [{ CBP_TLS_KEY: 'server.key' }, ['CBP_TLS_CERT']],
    [{ CBP_TLS_CLIENT_CA: 'clients.pem' }, ['CBP_TLS_CERT']],
    [{ CBP_TLS_CERT: 'server.pem', CBP_TLS_KEY: 'server.key', CBP_TLS_CLIENT_AUTH: 'required' }, ['CBP_TLS_CLIENT_CA']],
    [
      { CBP_TLS_CERT: 'server.pem', CBP_TLS_KEY: 'server.key', CBP_TLS_CLIENT_AUTH: 'maybe', CBP_TLS_CLIENT_CA: 'a' },
      ['CBP_TLS_CLIENT_AUTH'],
    ],
  ])('refuse half of TLS: %j', (given, names) => {
    expect(namesOf(given)).toEqual(names)
  })

  it.each([
    ['CBP_KEYRING', '{"keys": [{"id": "k1", "key": "secret"}]}'],
    ['CBP_TLS_KEY', '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----'],
  ])('refuse in %s a key itself where its file has to be named, and do not repeat it', (name, value) => {
    const given = { CBP_TLS_CERT: 'server.pem', CBP_TLS_KEY: 'server.key', [name]: value }
    expect(namesOf(given)).toEqual([name])
    expect(JSON.stringify(faultsOf(given))).not.toContain('secret')
  })

  it('name the files of TLS', () => {
    const given = { CBP_TLS_CERT: 'server.pem', CBP_TLS_KEY: '/etc/server.key' }
    const files = { certPath: '/srv/server.pem', keyPath: '/etc/server.key' }
    expect(readSettings(given, '/srv')._unsafeUnwrap().tls).toEqual({ ...files, clientCaPath: null, clientAuth: 'optional' })
    const clients = { CBP_TLS_CLIENT_CA: 'clients.pem', CBP_TLS_CLIENT_AUTH: 'required' }
    const asked = { clientCaPath: '/srv/clients.pem', clientAuth: 'required' }
    expect(readSettings({ ...given, ...clients }, '/srv')._unsafeUnwrap().tls).toEqual({ ...files, ...asked })
  })

  it.each([
    ['CBP_REDIS_URL', 'http://:secret@cache'],
    ['CBP_REDIS_URL', 'redis://:secret@one,rediss://:secret@two'],
    ['CBP_REDIS_URL', 'redis://:secret@one:0'],
    ['CBP_AMQP_URL', 'amqp://user:secret@one,http://two'],
    ['CBP_AMQP_URL', 'amqps://user:secret@one?verify=verify_none'],
    ['CBP_SQL_REPLICA_URL', 'mssql://user:secret@host/cbp'],
  ])('refuse the engine %s=%s, and do not repeat its password', (name, url) => {
    expect(namesOf({ [name]: url })).toEqual([name])
    expect(JSON.stringify(faultsOf({ [name]: url }))).not.toContain('secret')
  })

  it('name the engines of production', () => {
    const settings = readSettings(
      {
        CBP_SQL_URL: 'mssql://user:word@host:1433/cbp',
        CBP_SQL_REPLICA_URL: 'mssql://user:word@other:1433/cbp',
        CBP_REDIS_URL: 'redis://one:7000, redis://two:7001',
        CBP_AMQP_URL: 'amqp://one, amqps://two',
      },
      '/srv',
    )._unsafeUnwrap()
    expect(settings).toMatchObject({
      sql: {
        kind: 'mssql',
        primary: { server: 'host', database: 'cbp', encrypt: true, trustServerCertificate: false },
        replica: { server: 'other', database: 'cbp', encrypt: true, trustServerCertificate: false },
      },
      redis: { kind: 'cluster' },
      amqpUrls: ['amqp://one', 'amqps://two'],
    })
  })

  it.each([
    ['sqlite:', '/srv/.cbp/cbp.sqlite', 'full'],
    ['sqlite:data/cbp.db', '/srv/data/cbp.db', 'full'],
    ['sqlite:/var/cbp.db?synchronous=normal', '/var/cbp.db', 'normal'],
  ])('read the store %s', (url, path, synchronous) => {
    expect(readSettings({ CBP_SQL_URL: url }, '/srv')._unsafeUnwrap().sql).toEqual({ kind: 'sqlite', path, synchronous })
  })

  it.each([
    ['CBP_SQL_URL', 'encrypt=false'],
    ['CBP_SQL_URL', 'trustServerCertificate=true'],
    ['CBP_SQL_REPLICA_URL', 'encrypt=false'],
    ['CBP_SQL_REPLICA_URL', 'encrypt=true&trustServerCertificate=true'],
  ])('refuse in production %s with %s, and say why', (name, option) => {
    const urls = { CBP_SQL_URL: 'mssql://sa:word@host/cbp', CBP_SQL_REPLICA_URL: 'mssql://sa:word@other/cbp' }
    const given = { ...urls, [name]: `${urls[name as keyof typeof urls]}?${option}` }
    const [fault] = faultsOf({ ...given, CBP_ENV: 'production' }).filter(({ name: each }) => each.startsWith('CBP_SQL'))
    expect(fault).toEqual({ name, message: expect.stringContaining(option.split('&').at(-1) as string) })
    expect(faultsOf({ ...given, CBP_ENV: 'development' })).toEqual([])
  })

  it('let a host leave migrations to others', () => {
    expect(readSettings({ CBP_MIGRATIONS: 'check' }, '/srv')._unsafeUnwrap().migrations).toBe('check')
    expect(namesOf({ CBP_MIGRATIONS: 'never' })).toEqual(['CBP_MIGRATIONS'])
  })

  it('take an empty value for none, and name what means nothing', () => {
    const settings = readSettings({ CBP_PORT: '', CBP_PROT: '80', PATH: '/bin' }, '/srv')._unsafeUnwrap()
    expect(settings).toMatchObject({ port: 8080, unknown: ['CBP_PROT'] })
  })

  it.each(['0.0.0.0/0', '::/0', '10.0.0.0/8, 0.0.0.0/1', '::ffff:0:0/96'])(
    'in production, refuse to believe %s in whom they forward for: that is everybody',
    (blocks) => {
      expect(namesOf({ ...production, CBP_TRUST_PROXY: blocks })).toEqual(['CBP_TRUST_PROXY'])
      expect(namesOf({ CBP_TRUST_PROXY: blocks })).toEqual([])
    },
  )

  it('in production, take the proxies of a private network', () => {
    expect(namesOf({ ...production, CBP_TRUST_PROXY: '10.0.0.0/8,fc00::/7,192.0.2.7/32' })).toEqual([])
  })

  it('refuse in production what only development may do', () => {
    const given = {
      CBP_JWT_ISSUER: 'https://issuer',
      CBP_JWT_JWKS_URL: 'http://issuer/keys',
      CBP_KEYRING: 'keyring.json',
      CBP_WEBHOOK_SECRETS: `whsec_${'A'.repeat(32)},whsec_${'B'.repeat(32)}`,
      CBP_PAYMENT_SERVICE_URL: 'http://payments/',
      CBP_USER_SERVICE_URL: 'https://[::1]:8443/',
    }
    expect(namesOf({ CBP_ENV: 'production', ...given, CBP_JWT_SECRET: 'x'.repeat(40) })).toEqual([
      'CBP_JWT_JWKS_URL',
      'CBP_JWT_SECRET',
      'CBP_PAYMENT_SERVICE_URL',
      'CBP_TLS_CERT',
      'CBP_USER_SERVICE_URL',
    ])
    expect(namesOf({ CBP_ENV: 'staging', ...given })).toEqual([])
    const settings = readSettings({ CBP_ENV: 'staging', ...given }, '/srv')._unsafeUnwrap()
    expect(settings).toMatchObject({ keyring: { kind: 'file', path: '/srv/keyring.json' }, paymentServiceUrl: 'http://payments/' })
    expect(settings.webhookSecrets).toHaveLength(2)
  })

  it.each([
    'https://localhost/',
    'https://users.localhost',
    'https://127.8.8.8/',
    'https://[::ffff:127.0.0.1]/',
    'https://0.0.0.0',
    'http://users.example',
  ])('in production, refuse %s for what is trusted with users', (url) => {
    expect(namesOf({ ...production, CBP_USER_SERVICE_URL: url })).toEqual(['CBP_USER_SERVICE_URL'])
  })

  it.each([
    [{ CBP_TLS_CERT: 'server.pem', CBP_TLS_KEY: 'server.key' }, []],
    [{ CBP_TRUST_PROXY: '10.0.0.0/8' }, []],
    [{}, ['CBP_TLS_CERT']],
  ])('in production, take TLS from %j', (given, names) => {
    expect(namesOf({ ...production, CBP_TRUST_PROXY: '', ...given })).toEqual(names)
  })

  it.each([
    ['redis://:secret@cache', 'CBP_REDIS_URL'],
    ['rediss://:secret@cache', null],
    ['redis://:secret@127.0.0.1:6379', null],
    ['redis://:secret@[::1]:6379', null],
    ['redis://:secret@localhost', null],
    ['redis://:secret@localhost:1,redis://localhost:2', 'CBP_REDIS_URL'],
    ['redis://:secret@localhost.example', 'CBP_REDIS_URL'],
    ['redis://:secret@127.0.0.1.example', 'CBP_REDIS_URL'],
    ['amqp://user:secret@broker', 'CBP_AMQP_URL'],
    ['amqps://user:secret@broker,amqp://other', 'CBP_AMQP_URL'],
    ['amqps://user:secret@broker,amqp://127.0.0.1', null],
  ])('in production, let %s go over no network in the clear', (url, refused) => {
    const name = url.startsWith('redis') ? 'CBP_REDIS_URL' : 'CBP_AMQP_URL'
    const faults = faultsOf({ CBP_ENV: 'production', [name]: url }).filter((fault) => fault.name === name)
    expect(faults.map((fault) => fault.name)).toEqual(refused === null ? [] : [refused])
    expect(JSON.stringify(faults)).not.toContain('secret')
    if (refused !== null) expect(faults[0]?.message).toMatch(/^must be (rediss|amqps):\/\/ in production .*NODE_EXTRA_CA_CERTS/)
    expect(namesOf({ [name]: url })).toEqual([])
  })

  it('refuse a webhook secret that is none, and do not repeat it', () => {
    const environment = { CBP_WEBHOOK_SECRETS: 'whsec_dGlueQ==,hunter2' }
    expect(namesOf(environment)).toEqual(['CBP_WEBHOOK_SECRETS'])
    expect(JSON.stringify(faultsOf(environment))).not.toMatch(/dGlueQ|hunter2/)
  })

  it('come from the environment over the .env file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cbp-settings-'))
    writeFileSync(join(directory, '.env'), 'CBP_PORT=1111\nCBP_HOST=0.0.0.0\n')
    expect(loadEnvironment({ CBP_PORT: '2222' }, directory)).toMatchObject({ CBP_PORT: '2222', CBP_HOST: '0.0.0.0' })
    rmSync(directory, { recursive: true })
  })
})
