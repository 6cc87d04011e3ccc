import { err, ok, type Result } from 'neverthrow'

/** Where a SQL Server is and how to speak to it. */
export type MssqlAddress = Readonly<{
  server: string
  port: number
  database: string
  user: string
  password: string
  encrypt: boolean
  trustServerCertificate: boolean
  /** Tries every address of the listener's name at once: for availability groups over several subnets. */
  multiSubnetFailover: boolean
  poolSize: number
  connectTimeoutMs: number
  requestTimeoutMs: number
}>

const form = 'must be mssql://user:password@host:1433/database?encrypt=true'

type Reader = (text: string) => Partial<MssqlAddress> | null

const options: Readonly<Record<string, Reader>> = {
  encrypt: flag((encrypt) => ({ encrypt })),
  trustServerCertificate: flag((trustServerCertificate) => ({ trustServerCertificate })),
  multiSubnetFailover: flag((multiSubnetFailover) => ({ multiSubnetFailover })),
  poolSize: number(1, 1000, (poolSize) => ({ poolSize })),
  connectTimeoutMs: number(100, 600_000, (connectTimeoutMs) => ({ connectTimeoutMs })),
  requestTimeoutMs: number(100, 600_000, (requestTimeoutMs) => ({ requestTimeoutMs })),
}

/** Reads `mssql://user:password@host:1433/database?encrypt=true`; errors never repeat the URL, which holds a password. */
export function parseMssqlUrl(text: string): Result<MssqlAddress, string> {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || url.protocol !== 'mssql:' || url.hostname === '' || url.hash !== '') return err(form)
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded)
  if (!user || !database || password === null || password === undefined || database.includes('/')) return err(form)
  let address: MssqlAddress = {
    server: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 1433 : Number(url.port),
    database,
    user,
    password,
    encrypt: true,
    trustServerCertificate: false,
    multiSubnetFailover: false,
    poolSize: 20,
    connectTimeoutMs: 15_000,
    requestTimeoutMs: 15_000,
  }
  for (const [name, value] of url.searchParams) {
    const read = Object.hasOwn(options, name) ? options[name] : undefined
    if (read === undefined) return err(`has no option ${JSON.stringify(name)}; there are ${Object.keys(options).join(', ')}`)
    const given = read(value)
    if (given === null) return err(`has a bad value for ${name}`)
    address = { ...address, ...given }
  }
  return ok(address)
}

function flag(set: (value: boolean) => Partial<MssqlAddress>): Reader {
  return (text) => (text === 'true' || text === 'false' ? set(text === 'true') : null)
}

function number(least: number, most: number, set: (value: number) => Partial<MssqlAddress>): Reader {
  return (text) => (/^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most ? set(Number(text)) : null)
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
