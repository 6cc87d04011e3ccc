import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { root } from '../scripts/lib/run-tool.ts'
import { type CertificateAuthority, certificateAuthority, type TestCertificate } from './lib/certificates.ts'
import { startService } from './lib/running-service.ts'

const run = promisify(execFile)
const hasCurl = spawnSync('curl', ['--version']).status === 0

let folder: string
let authority: CertificateAuthority
let clients: CertificateAuthority
const at = (name: string): string => join(folder, name)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cbp-transport-'))
  authority = await certificateAuthority('Servers')
  clients = await certificateAuthority('Clients')
  writeFileSync(at('authority.pem'), authority.cert)
  writeFileSync(at('clients.pem'), clients.cert)
  put('client', await clients.issue({ for: 'client', names: ['billing'] }))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function put(name: string, { cert, key }: TestCertificate): void {
  for (const [ending, text] of [
    ['pem', cert],
    ['key', key],
  ] as const) {
    writeFileSync(at(`${name}.${ending}.new`), text, { mode: 0o600 })
    renameSync(at(`${name}.${ending}.new`), at(`${name}.${ending}`))
  }
}

/** The service as `npm start` runs it, with a certificate of the authority above, until the test ends. */
async function start(env: Readonly<Record<string, string>> = {}): Promise<Readonly<{ url: string; dataDir: string }>> {
  put('server', await authority.issue())
  const dataDir = mkdtempSync(join(tmpdir(), 'cbp-transport-data-'))
  const service = await startService(dataDir, 0, { CBP_TLS_CERT: at('server.pem'), CBP_TLS_KEY: at('server.key'), ...env })
  onTestFinished(async () => {
    await service.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return { url: service.url, dataDir }
}

async function cbp(
  dataDir: string,
  trusted: string | null,
  ...args: readonly string[]
): Promise<Readonly<{ code: number; output: string }>> {
  const env = { ...process.env, CBP_DATA_DIR: dataDir, ...(trusted === null ? {} : { NODE_EXTRA_CA_CERTS: trusted }) }
  const main = join(root, 'packages/cli/src/main.ts')
  const child = spawn(process.execPath, ['--conditions=@cbp/source', main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  const code = await new Promise<number>((resolve) => child.once('close', (ended) => resolve(ended ?? -1)))
  return { code, output }
}

describe('the service over TLS', () => {
  it.skipIf(!hasCurl)('answers curl, which trusts its authority or its very certificate, and nobody else', async () => {
    const { url } = await start()
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    for (const trusted of ['authority.pem', 'server.pem']) {
      const { stdout } = await run('curl', ['-sSi', '--cacert', at(trusted), `${url}/health`])
      expect(stdout).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*strict-transport-security: max-age=300[\s\S]*"tls":\{"status":"pass"/)
    }
    await expect(run('curl', ['-sS', `${url}/health`])).rejects.toMatchObject({ code: 60 })
    await expect(run('curl', ['-sS', '--cacert', at('authority.pem'), '--tls-max', '1.2', `${url}/health`])).rejects.toMatchObject({
      code: 35,
    })
  })

  it.skipIf(!hasCurl)('shows a certificate that was replaced, without a restart', async () => {
    const { url } = await start()
    const shown = async (): Promise<string> => (await run('curl', ['-sSv', '--cacert', at('authority.pem'), `${url}/health/live`])).stderr
    expect(await shown()).toContain('subject: CN=localhost')
    put('server', await authority.issue({ names: ['127.0.0.1', 'replaced.example'] }))
    await vi.waitFor(async () => expect(await shown()).toContain('subject: CN=127.0.0.1'), { timeout: 20_000, interval: 250 })
  })

  it.skipIf(!hasCurl)('asks service callers for their certificates', async () => {
    const { url } = await start({ CBP_TLS_CLIENT_CA: at('clients.pem'), CBP_TLS_CLIENT_AUTH: 'required' })
    const curl = ['-sS', '--cacert', at('authority.pem'), `${url}/health/live`]
    await expect(run('curl', curl)).rejects.toThrow()
    const { stdout } = await run('curl', [...curl, '--cert', at('client.pem'), '--key', at('client.key')])
    expect(stdout).toContain('pass')
  })

  it('is reached by the command line, which says what to do about an authority that it does not know', async () => {
    const { url, dataDir } = await start()
    expect(await cbp(dataDir, at('authority.pem'), 'health', '--url', url)).toMatchObject({
      code: 0,
      output: expect.stringContaining('tls'),
    })
    const refused = await cbp(dataDir, null, 'health', '--url', url)
    expect(refused.code).toBe(5)
    expect(refused.output).toContain('NODE_EXTRA_CA_CERTS')
  })

  it('hears of the end of a payment from the sandbox, also where clients are asked for certificates', async () => {
    const { url, dataDir } = await start({ CBP_TLS_CLIENT_CA: at('clients.pem') })
    const demo = await cbp(dataDir, at('authority.pem'), 'demo', '--url', url)
    expect(demo).toMatchObject({ code: 0, output: expect.stringContaining('COMPLETED by webhook') })
  })

  it('does not start with files that cannot serve, and says all that is wrong', async () => {
    const { key } = await authority.issue()
    writeFileSync(at('other.key'), key, { mode: 0o600 })
    put('server', await authority.issue())
    const ended = main({ CBP_TLS_CERT: at('server.pem'), CBP_TLS_KEY: at('other.key') })
    expect(ended).toMatchObject({ status: 1, said: expect.stringContaining('does not fit the certificate') })
    const missing = main({ CBP_TLS_CERT: at('none.pem'), CBP_TLS_KEY: at('none.key'), CBP_TLS_CLIENT_CA: at('none') })
    expect(missing.said.match(/does not exist/g)).toHaveLength(3)
  })
})

describe('production', () => {
  it('refuses every choice that is for development, all at once', () => {
    const { status, said } = main({
      CBP_ENV: 'production',
      CBP_JWT_SECRET: 'a shared secret that is long enough for HS256',
      CBP_JWT_JWKS_URL: 'http://127.0.0.1:9000/keys',
      CBP_REDIS_URL: 'redis://cache',
      CBP_AMQP_URL: 'amqp://broker',
      CBP_TLS_KEY: 'server.key',
    })
    expect(status).toBe(2)
    const named = new Set(said.match(/^ {2}CBP_\w+/gm)?.map((name) => name.trim()))
    expect([...named].toSorted()).toEqual([
      'CBP_AMQP_URL',
      'CBP_JWT_ISSUER',
      'CBP_JWT_JWKS_URL',
      'CBP_JWT_SECRET',
      'CBP_KEYRING',
      'CBP_PAYMENT_SERVICE_URL',
      'CBP_REDIS_URL',
      'CBP_TLS_CERT',
      'CBP_USER_SERVICE_URL',
      'CBP_WEBHOOK_SECRETS',
    ])
    expect(said).not.toContain('shared secret that')
  })

  it('refuses to go without TLS', () => {
    expect(main({ CBP_ENV: 'production' }).said).toMatch(/CBP_TLS_CERT: production speaks TLS/)
  })
})

/** A start that is expected to fail. */
function main(env: Readonly<Record<string, string>>): Readonly<{ status: number | null; said: string }> {
  const given = { PATH: process.env['PATH'] ?? '', CBP_DATA_DIR: at('unused'), CBP_PORT: '0', ...env }
  const args = ['--conditions=@cbp/source', join(root, 'packages/http/src/main.ts')]
  const { status, stderr } = spawnSync(process.execPath, args, { env: given, cwd: folder, encoding: 'utf8', timeout: 30_000 })
  return { status, said: stderr }
}
