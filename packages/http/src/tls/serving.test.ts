import { spawn, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { certificateAuthority } from '../../../../tests/lib/certificates.ts'
import { authority, clientAuthority, connectTo, openSecureServer } from '../../tests/tls.ts'

type Answered = Readonly<{ status: number; headers: Record<string, unknown>; body: string }>

/** GET over TLS; rejects when there is no answer. */
function get(url: string, options: ConnectionOptions & Readonly<{ agent?: Agent }> = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca: authority.cert, ...options } as object, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      response.on('error', reject)
    })
    asked.on('error', reject).end()
  })
}

describe('the host over TLS', () => {
  it('speaks TLS 1.3 and HTTP/1.1, whatever else is offered', async () => {
    const { port, url } = await openSecureServer()
    const socket = await connectTo(port, { ALPNProtocols: ['h2', 'http/1.1'] })
    expect([socket.getProtocol(), socket.alpnProtocol]).toEqual(['TLSv1.3', 'http/1.1'])
    expect(url).toBe(`https://127.0.0.1:${port}`)
    expect(await get(`${url}/health/live`)).toMatchObject({ status: 200 })
  })

  it('refuses every version before 1.3, and goes on', async () => {
    const { port, url, tls } = await openSecureServer()
    await expect(connectTo(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    })
    expect(tls.failures()).toBe(1)
    expect(await get(`${url}/health/live`)).toMatchObject({ status: 200 })
  })

  it.skipIf(spawnSync('openssl', ['version']).status !== 0)('is refused to openssl s_client -tls1_2, and not to -tls1_3', async () => {
    const { port } = await openSecureServer()
    expect(await openssl(port, '-tls1_2')).not.toBe(0)
    expect(await openssl(port, '-tls1_3')).toBe(0)
  })

  it('closes a connection that speaks plain HTTP', async () => {
    const { port, url } = await openSecureServer()
    const asked = new Promise((resolve) => plainRequest({ port, path: '/health' }, resolve).on('error', resolve).end())
    expect(await asked).toMatchObject({ code: expect.stringMatching(/ECONNRESET|HPE_INVALID_CONSTANT/) })
    expect(await get(`${url}/health/live`)).toMatchObject({ status: 200 })
  })

  it('does not wait for ever for a client to agree', async () => {
    const { port } = await openSecureServer({ handshakeMs: 100 })
    const socket = connectPlain(port, '127.0.0.1')
    await new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
  })

  it('does not wait for clients that never agreed when it ends', async () => {
    const { port, listening } = await openSecureServer()
    const socket = connectPlain(port, '127.0.0.1')
    await new Promise((resolve) => socket.on('error', () => {}).once('connect', resolve))
    // So that the server has seen it.
    await connectTo(port)
    const startedAt = performance.now()
    await listening.close()
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  it('answers what is no HTTP inside TLS', async () => {
    const { port } = await openSecureServer()
    const socket = await connectTo(port)
    socket.write('not http\r\n\r\n')
    const text = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())))
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request[\s\S]*"code":"bad-request"/)
  })
})

describe('a certificate that is replaced on disk', () => {
  it('is swapped under load without an error, and shown to new connections', async () => {
    const { url, port, files, tls } = await openSecureServer()
    const before = tls.material().fingerprint
    const agent = new Agent({ keepAlive: true, maxSockets: 50, ca: authority.cert })
    let isLoaded = true
    const outcomes: number[] = []
    const clients = Array.from({ length: 50 }, async () => {
      while (isLoaded) outcomes.push((await get(`${url}/health/live`, { agent })).status)
    })
    const kept = await connectTo(port)
    for (let swap = 0; swap < 3; swap += 1) {
      const asked = outcomes.length
      const current = tls.material().fingerprint
      await files.replace(await authority.issue())
      await until(() => tls.material().fingerprint !== current && outcomes.length > asked + 200)
    }
    isLoaded = false
    await Promise.all(clients)
    agent.destroy()
    expect(outcomes.filter((status) => status !== 200)).toEqual([])
    expect(shownTo(kept)).toBe(before)
    expect(shownTo(await connectTo(port))).toBe(tls.material().fingerprint)
  }, 60_000)

  it('still refuses TLS 1.2 afterwards', async () => {
    const { port, files, tls } = await openSecureServer()
    const before = tls.material().fingerprint
    await files.replace(await authority.issue())
    await until(() => tls.material().fingerprint !== before)
    await expect(connectTo(port, { maxVersion: 'TLSv1.2' })).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
  })

  it('stays as it was while only one of the two files is new, and the log says so once', async () => {
    const { port, files, tls, log } = await openSecureServer()
    const before = tls.material().fingerprint
    const next = await authority.issue()
    const other = await authority.issue()
    await files.replace({ cert: next.cert, key: other.key })
    await until(() => log.entries.some(({ level }) => level === 'warn'))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(shownTo(await connectTo(port))).toBe(before)
    expect(log.entries).toMatchObject([{ level: 'warn', fields: { reason: expect.stringContaining('does not fit the certificate') } }])
    await files.replace(next)
    await until(() => tls.material().fingerprint !== before)
    expect(shownTo(await connectTo(port))).toBe(tls.material().fingerprint)
    expect(log.entries.map(({ level }) => level)).toEqual(['warn', 'info'])
  })

  it('takes new authorities of clients too', async () => {
    const { url, files, tls } = await openSecureServer({ clientAuth: 'required' })
    const others = await certificateAuthority('Other clients')
    const stranger = await others.issue({ for: 'client' })
    await expect(get(`${url}/health/live`, stranger)).rejects.toThrow()
    const before = tls.material()
    await writeFile(files.clientCaPath, `${clientAuthority.cert.trim()}${others.cert}`)
    await until(() => tls.material() !== before)
    expect(await get(`${url}/health/live`, stranger)).toMatchObject({ status: 200 })
  })
})

describe('certificates of clients', () => {
  it('are not asked for unless an authority is named', async () => {
    const { url } = await openSecureServer()
    expect(await get(`${url}/health/live`, await clientAuthority.issue({ for: 'client' }))).toMatchObject({ status: 200 })
  })

  it('may be left out where they are optional', async () => {
    const { url } = await openSecureServer({ clientAuth: 'optional' })
    expect(await get(`${url}/health/live`)).toMatchObject({ status: 200 })
    expect(await get(`${url}/health/live`, await clientAuthority.issue({ for: 'client' }))).toMatchObject({ status: 200 })
  })

  it('are demanded where they are required', async () => {
    const { url } = await openSecureServer({ clientAuth: 'required' })
    await expect(get(`${url}/health/live`)).rejects.toThrow(/certificate required|ECONNRESET|socket hang up/)
    expect(await get(`${url}/health/live`, await clientAuthority.issue({ for: 'client' }))).toMatchObject({ status: 200 })
  })

  it.each(['optional', 'required'] as const)('are refused when nobody vouches for them (%s)', async (clientAuth) => {
    const { url } = await openSecureServer({ clientAuth })
    // Of the servers' authority, which is none for clients.
    const stranger = await authority.issue({ for: 'client' })
    await expect(get(`${url}/health/live`, stranger)).rejects.toThrow()
  })

  it('are refused when they have expired', async () => {
    const { url } = await openSecureServer({ clientAuth: 'optional' })
    const old = await clientAuthority.issue({ for: 'client', validFromDays: -9, validToDays: -1 })
    await expect(get(`${url}/health/live`, old)).rejects.toThrow()
  })
})

/** Exit code of a handshake by openssl. */
function openssl(port: number, version: string): Promise<number | null> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, version], { stdio: ['ignore', 'ignore', 'ignore'] })
  return new Promise((resolve) => child.once('exit', resolve))
}

function shownTo(socket: Awaited<ReturnType<typeof connectTo>>): string {
  return socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase()
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}
