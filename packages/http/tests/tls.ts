import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { fakeLog } from '@cbp/core/testing'
import { onTestFinished } from 'vitest'
import { type CertificateDetails, certificateAuthority, type TestCertificate } from '../../../tests/lib/certificates.ts'
import { systemClock } from '../src/assembly/platform/index.ts'
import { listen } from '../src/server/listen.ts'
import { openTls, type Tls, type TlsDependencies } from '../src/tls/secure-server.ts'
import { openApp, type TestServer } from './support.ts'

export const authority: Awaited<ReturnType<typeof certificateAuthority>> = await certificateAuthority('Servers')
export const clientAuthority: Awaited<ReturnType<typeof certificateAuthority>> = await certificateAuthority('Clients')

export type PairFiles = Readonly<{
  directory: string
  certPath: string
  keyPath: string
  clientCaPath: string
  /** As tools that renew certificates do: each file whole, one after the other. */
  replace: (pair: TestCertificate) => Promise<void>
}>

/** A certificate and its key on disk, until the test ends. */
export async function pairFiles(details: CertificateDetails = {}): Promise<PairFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'cbp-tls-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const at = (name: string): string => join(directory, name)
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(at(`${name}.new`), text, { mode: 0o600 })
    await rename(at(`${name}.new`), at(name))
  }
  const replace = async ({ cert, key }: TestCertificate): Promise<void> => {
    await write('server.pem', cert)
    await write('server.key', key)
  }
  await replace(await authority.issue(details))
  await write('clients.pem', clientAuthority.cert)
  return { directory, certPath: at('server.pem'), keyPath: at('server.key'), clientCaPath: at('clients.pem'), replace }
}

export type SecureServer = TestServer & Readonly<{ tls: Tls; files: PairFiles; port: number; log: ReturnType<typeof fakeLog> }>

type SecureOptions = Readonly<{ clientAuth?: 'optional' | 'required' }> & Partial<Pick<TlsDependencies, 'pollMs' | 'handshakeMs'>>

/** The app behind TLS, with its files followed; all of it ends with the test. */
export async function openSecureServer({ clientAuth, ...timing }: SecureOptions = {}): Promise<SecureServer> {
  const files = await pairFiles()
  const log = fakeLog()
  const clients = clientAuth === undefined ? ({ clientCaPath: null, clientAuth: 'optional' } as const) : { clientAuth }
  const tls = (await openTls({ ...files, ...clients }, { clock: systemClock, log, pollMs: 20, ...timing }))._unsafeUnwrap()
  const opened = await openApp()
  const listening = await listen(opened.face, { host: '127.0.0.1', port: 0, tls }, opened.deps.lifecycle, () => 'test-x')
  const following = new AbortController()
  const followed = tls.run(following.signal)
  onTestFinished(async () => {
    following.abort()
    await Promise.all([followed, listening.close()])
  })
  return { ...opened, listening, url: listening.url, port: listening.port, tls, files, log }
}

/** A connection that is agreed on; rejects with what node says when it is not. */
export function connectTo(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ...options }, () => resolve(socket))
    socket.once('error', reject)
    onTestFinished(() => void socket.destroy())
  })
}
