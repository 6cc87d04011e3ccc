import { describe, expect, it } from 'vitest'
import { parseMssqlUrl } from './mssql-url.ts'

describe('the URL of SQL Server', () => {
  it('names server, port, database and login', () => {
    expect(parseMssqlUrl('mssql://service:p%40ss@db.example:1444/cbp')._unsafeUnwrap()).toMatchObject({
      server: 'db.example',
      port: 1444,
      database: 'cbp',
      user: 'service',
      password: 'p@ss',
    })
  })

  it('encrypts, and trusts no certificate of its own making, unless it is told otherwise', () => {
    expect(parseMssqlUrl('mssql://u:p@h/d')._unsafeUnwrap()).toMatchObject({ port: 1433, encrypt: true, trustServerCertificate: false })
    expect(parseMssqlUrl('mssql://u:p@h/d?encrypt=false')._unsafeUnwrap()).toMatchObject({ encrypt: false })
  })

  it('takes options for pools, time-outs and failover', () => {
    const url = 'mssql://u:p@h/d?poolSize=40&connectTimeoutMs=500&requestTimeoutMs=700&multiSubnetFailover=true&trustServerCertificate=true'
    expect(parseMssqlUrl(url)._unsafeUnwrap()).toMatchObject({
      poolSize: 40,
      connectTimeoutMs: 500,
      requestTimeoutMs: 700,
      multiSubnetFailover: true,
      trustServerCertificate: true,
    })
  })

  it.each([
    '',
    'mssql',
    'sqlite:x',
    'mssql://h/d',
    'mssql://u:p@h',
    'mssql://u:p@h/',
    'mssql://u:p@h/a/b',
    'mssql://u:p%zz@h/d',
    'mssql://u:p@h/d?encrypt=yes',
    'mssql://u:p@h/d?poolSize=0',
    'mssql://u:p@h/d?surprise=1',
    'mssql://u:p@h/d?constructor=1',
  ])('refuses %j without repeating it', (url) => {
    const fault = parseMssqlUrl(url)._unsafeUnwrapErr()
    expect(fault).not.toContain('u:p')
  })
})
