import { isAbsolute, join, resolve } from 'node:path'
import { parseAmqpUrls } from '@cbp/adapters-amqp'
import { parseRedisUrl, type RedisTarget } from '@cbp/adapters-redis'
import { type MssqlAddress, parseMssqlUrl } from '@cbp/adapters-sql'
import { parseWebhookSecret, type SecretValue, secretValue, type WebhookSecret } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { z } from 'zod'
import { environmentFaults, tlsFaults } from './environment-faults.ts'
import { type RingAddress, ringAddress } from './keys/ring-address.ts'

export type Environment = 'development' | 'staging' | 'production'

export type SqliteSettings = Readonly<{ kind: 'sqlite'; path: string; synchronous: 'full' | 'normal' }>

/** `replica`: a readable secondary. */
export type MssqlSettings = Readonly<{ kind: 'mssql'; primary: MssqlAddress; replica: MssqlAddress | null }>

export type JwtSettings = Readonly<{
  issuer: string
  audience: string
  /** Where the issuer publishes its keys; `null` in development, where a local key counts. */
  jwksUrl: string | null
  /** HS256 secret, development only. */
  secret: SecretValue | null
}>

/** All of them are files in PEM. */
export type TlsSettings = Readonly<{
  /** The certificate, and the intermediate ones behind it. */
  certPath: string
  keyPath: string
  /** The authorities of client certificates; `null`: none are asked for. */
  clientCaPath: string | null
  /** Whether a client without a certificate is turned away. */
  clientAuth: 'optional' | 'required'
}>

export type Settings = Readonly<{
  env: Environment
  host: string
  /** 0 picks a free port. */
  port: number
  dataDir: string
  sql: SqliteSettings | MssqlSettings
  /** `check`: pending migrations keep the service from starting, instead of being run by it. */
  migrations: 'run' | 'check'
  /** `null`: cached within this process. */
  redis: RedisTarget | null
  /** Nodes of one RabbitMQ; `null`: events stay within this process. */
  amqpUrls: readonly string[] | null
  jwt: JwtSettings
  /** Where the key-encryption keys are; `null` in development, where a file is generated in the data directory. */
  keyring: RingAddress | null
  /** What the Payment Service signs its webhooks with; `null` in development, where one is generated. */
  webhookSecrets: readonly SecretValue<WebhookSecret>[] | null
  /** `null` in development, where a sandbox inside the process takes its place. */
  paymentServiceUrl: string | null
  /** `null` in development, where a sandbox inside the process takes its place. */
  userServiceUrl: string | null
  /** `null`: plain HTTP. */
  tls: TlsSettings | null
  logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** CIDR blocks of the proxies whose X-Forwarded-For counts. */
  trustProxy: readonly string[]
  /** Names that begin with CBP_ and mean nothing; worth a warning. */
  unknown: readonly string[]
}>

export type SettingsFault = Readonly<{ name: string; message: string }>

export const developmentIssuer = 'cbp-development'
export const defaultAudience = 'cbp-config-api'

/** Every name of the settings table, those of parts to come included. */
const knownNames = new Set(
  (
    'ENV HOST PORT DATA_DIR SQL_URL SQL_REPLICA_URL MIGRATIONS REDIS_URL AMQP_URL JWT_ISSUER JWT_AUDIENCE JWT_JWKS_URL JWT_SECRET KEYRING ' +
    'WEBHOOK_SECRETS PAYMENT_SERVICE_URL USER_SERVICE_URL TLS_CERT TLS_KEY TLS_CLIENT_CA TLS_CLIENT_AUTH TRUST_PROXY LOG_LEVEL TOKEN'
  )
    .split(' ')
    .map((name) => `CBP_${name}`),
)

const cidr = z.union([z.cidrv4(), z.cidrv6()], 'must be CIDR blocks separated by commas, e.g. 10.0.0.0/8')

const redisTarget = z.string().transform((text, context): RedisTarget => {
  const target = parseRedisUrl(text)
  if (target.isOk()) return target.value
  context.addIssue(target.error.reason)
  return z.NEVER
})

const amqpUrls = z.string().transform((text, context): readonly string[] => {
  const urls = parseAmqpUrls(text)
  if (urls.isOk()) return urls.value
  context.addIssue(urls.error.reason)
  return z.NEVER
})

const webhookSecret = z.string().transform((text, context): WebhookSecret => {
  const secret = parseWebhookSecret(text)
  if (secret.isOk()) return secret.value
  context.addIssue('must be secrets separated by commas, each whsec_ and the base64 of 24 to 64 random bytes')
  return z.NEVER
})

const schema = z.object({
  CBP_ENV: z.enum(['development', 'staging', 'production'], 'must be development, staging or production').default('development'),
  CBP_HOST: z.string().min(1).default('127.0.0.1'),
  CBP_PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number from 0 to 65535; 0 picks a free one')
    .transform(Number)
    .refine((port) => port <= 65_535, 'must be a port number from 0 to 65535; 0 picks a free one')
    .default(8080),
  CBP_DATA_DIR: z.string().min(1).default('./.cbp'),
  CBP_SQL_URL: z.string().optional(),
  CBP_SQL_REPLICA_URL: z.string().optional(),
  CBP_MIGRATIONS: z.enum(['run', 'check'], 'must be run or check').default('run'),
  CBP_REDIS_URL: redisTarget.optional(),
  CBP_AMQP_URL: amqpUrls.optional(),
  CBP_TLS_CERT: z.string().optional(),
  CBP_TLS_KEY: z
    .string()
    .refine((text) => !text.includes('-----BEGIN'), 'must name a file with the key, not be the key')
    .optional(),
  CBP_TLS_CLIENT_CA: z.string().optional(),
  CBP_TLS_CLIENT_AUTH: z.enum(['optional', 'required'], 'must be optional or required').default('optional'),
  CBP_JWT_ISSUER: z.string().min(1).optional(),
  CBP_JWT_AUDIENCE: z.string().min(1).default(defaultAudience),
  CBP_JWT_JWKS_URL: z.url({ protocol: /^https?$/, message: 'must be an http or https URL' }).optional(),
  CBP_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  CBP_KEYRING: z
    .string()
    .refine((text) => !text.includes('{'), 'must be a path, env:NAME or command:/path, not the keys themselves')
    .optional(),
  CBP_WEBHOOK_SECRETS: z
    .string()
    .transform((text) => text.split(',').map((secret) => secret.trim()))
    .pipe(z.array(webhookSecret).min(1).max(8, 'takes at most 8 secrets'))
    .optional(),
  CBP_PAYMENT_SERVICE_URL: z.url({ protocol: /^https?$/, message: 'must be an http or https URL' }).optional(),
  CBP_USER_SERVICE_URL: z.url({ protocol: /^https?$/, message: 'must be an http or https URL' }).optional(),
  CBP_TRUST_PROXY: z
    .string()
    .transform((text) => text.split(',').map((block) => block.trim()))
    .pipe(z.array(cidr))
    .default([]),
  CBP_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error').default('info'),
})

type Raw = z.infer<typeof schema>

/**
 * Reads the settings once, and finds every fault at once.
 *
 * @param environment names and values, e.g. `process.env` over the `.env` file; an empty value counts as unset
 * @param workingDirectory where relative paths begin
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  workingDirectory: string,
): Result<Settings, readonly SettingsFault[]> {
  const given: Readonly<Record<string, string | undefined>> = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name.startsWith('CBP_') && value !== ''),
  )
  const parsed = schema.safeParse(given)
  const faults: SettingsFault[] = parsed.success ? [] : parsed.error.issues.map(({ path, message }) => ({ name: String(path[0]), message }))
  const dataDir = resolve(workingDirectory, given['CBP_DATA_DIR'] ?? './.cbp')
  const sql = readSql(given, dataDir, workingDirectory)
  if (sql.isErr()) faults.push(sql.error)
  faults.push(...tlsFaults(given), ...environmentFaults(given))
  if (!parsed.success || sql.isErr() || faults.length > 0) return err(faults)
  const isRing = (name: string): boolean => given['CBP_KEYRING'] === `env:${name}`
  const unknown = Object.keys(given).filter((name) => !knownNames.has(name) && !name.startsWith('CBP_TEST_') && !isRing(name))
  return ok(settingsOf(parsed.data, { dataDir, workingDirectory, environment }, sql.value, unknown))
}

function settingsOf(
  raw: Raw,
  {
    dataDir,
    workingDirectory,
    environment,
  }: Readonly<{ dataDir: string; workingDirectory: string; environment: Readonly<Record<string, string | undefined>> }>,
  sql: Settings['sql'],
  unknown: readonly string[],
): Settings {
  return {
    env: raw.CBP_ENV,
    host: raw.CBP_HOST,
    port: raw.CBP_PORT,
    dataDir,
    sql,
    migrations: raw.CBP_MIGRATIONS,
    redis: raw.CBP_REDIS_URL ?? null,
    amqpUrls: raw.CBP_AMQP_URL ?? null,
    jwt: {
      issuer: raw.CBP_JWT_ISSUER ?? developmentIssuer,
      audience: raw.CBP_JWT_AUDIENCE,
      jwksUrl: raw.CBP_JWT_JWKS_URL ?? null,
      secret: raw.CBP_JWT_SECRET === undefined ? null : secretValue(raw.CBP_JWT_SECRET),
    },
    keyring: raw.CBP_KEYRING === undefined ? null : ringAddress(raw.CBP_KEYRING, environment, workingDirectory),
    webhookSecrets: raw.CBP_WEBHOOK_SECRETS?.map((secret) => secretValue(secret)) ?? null,
    paymentServiceUrl: raw.CBP_PAYMENT_SERVICE_URL ?? null,
    userServiceUrl: raw.CBP_USER_SERVICE_URL ?? null,
    tls: tlsOf(raw, workingDirectory),
    logLevel: raw.CBP_LOG_LEVEL,
    trustProxy: raw.CBP_TRUST_PROXY,
    unknown,
  }
}

function readSql(
  { CBP_ENV: env, CBP_SQL_URL: url, CBP_SQL_REPLICA_URL: replicaUrl }: Readonly<Record<string, string | undefined>>,
  dataDir: string,
  workingDirectory: string,
): Result<Settings['sql'], SettingsFault> {
  const fault = (name: string, message: string): Result<never, SettingsFault> => err({ name, message })
  if (url?.startsWith('mssql:') !== true) {
    if (replicaUrl !== undefined) return fault('CBP_SQL_REPLICA_URL', 'needs SQL Server: CBP_SQL_URL must be mssql://…')
    return readSqliteUrl(url, dataDir, workingDirectory).mapErr((message) => ({ name: 'CBP_SQL_URL', message }))
  }
  const parse = env === 'production' ? parseVerifiedUrl : parseMssqlUrl
  const primary = parse(url)
  if (primary.isErr()) return fault('CBP_SQL_URL', primary.error)
  const replica = replicaUrl === undefined ? ok(null) : parse(replicaUrl)
  if (replica.isErr()) return fault('CBP_SQL_REPLICA_URL', replica.error)
  return ok({ kind: 'mssql', primary: primary.value, replica: replica.value })
}

/** Production speaks to SQL Server over TLS, and knows that it is SQL Server. */
function parseVerifiedUrl(url: string): Result<MssqlAddress, string> {
  return parseMssqlUrl(url).andThen((address) => {
    if (!address.encrypt) return err('must not say encrypt=false in production: everything would go in the clear, the password too')
    if (!address.trustServerCertificate) return ok(address)
    return err('must not say trustServerCertificate=true in production; NODE_EXTRA_CA_CERTS names an authority of your own')
  })
}

/** `sqlite:path`, where the path may carry `?synchronous=normal`; without a path the database lies in the data directory. */
function readSqliteUrl(url: string | undefined, dataDir: string, workingDirectory: string): Result<SqliteSettings, string> {
  const fallback = join(dataDir, 'cbp.sqlite')
  if (url === undefined) return ok({ kind: 'sqlite', path: fallback, synchronous: 'full' })
  const parts = /^sqlite:([^?]*)(?:\?synchronous=(full|normal))?$/.exec(url)
  if (parts === null)
    return err(
      'must be mssql://user:password@host:1433/database or sqlite:path, with ?synchronous=normal behind it to trade the last moments before a power loss for speed',
    )
  const path = parts[1] === '' || parts[1] === undefined ? fallback : parts[1]
  const synchronous = parts[2] === 'normal' ? 'normal' : 'full'
  return ok({ kind: 'sqlite', path: isAbsolute(path) ? path : resolve(workingDirectory, path), synchronous })
}

function tlsOf(raw: Raw, workingDirectory: string): TlsSettings | null {
  const { CBP_TLS_CERT: cert, CBP_TLS_KEY: key, CBP_TLS_CLIENT_CA: clientCa, CBP_TLS_CLIENT_AUTH: clientAuth } = raw
  if (cert === undefined || key === undefined) return null
  return {
    certPath: resolve(workingDirectory, cert),
    keyPath: resolve(workingDirectory, key),
    clientCaPath: clientCa === undefined ? null : resolve(workingDirectory, clientCa),
    clientAuth,
  }
}
