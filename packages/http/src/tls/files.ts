import { type FileHandle, open, stat } from 'node:fs/promises'
import { err, ok, type Result } from 'neverthrow'
import type { TlsSettings } from '../assembly/index.ts'

/** The text of each file. */
export type TlsFiles = Readonly<{ cert: string; key: string; clientCa: string | null }>

const othersDoAnything = 0o077
/** A file of root that a group may read: as orchestrators mount secrets for a process that is not root. */
const othersBeyondReadingGroup = 0o037

/** Everything that cannot be read, at once. */
export async function readFiles({ certPath, keyPath, clientCaPath }: TlsSettings): Promise<Result<TlsFiles, readonly string[]>> {
  const [cert, key, clientCa] = await Promise.all([
    readText(certPath, 'certificate', 'CBP_TLS_CERT', false),
    readText(keyPath, 'key', 'CBP_TLS_KEY', true),
    clientCaPath === null ? ok(null) : readText(clientCaPath, 'file of client authorities', 'CBP_TLS_CLIENT_CA', false),
  ])
  if (cert.isOk() && key.isOk() && clientCa.isOk()) return ok({ cert: cert.value, key: key.value, clientCa: clientCa.value })
  return err([cert, key, clientCa].flatMap((read) => (read.isErr() ? [read.error] : [])))
}

async function readText(path: string, what: string, name: string, isSecret: boolean): Promise<Result<string, string>> {
  try {
    await using file = await open(path)
    const exposure = isSecret ? await exposureOf(file) : null
    if (exposure !== null) return err(`The ${what} ${path} is open to others (mode ${exposure}); run: chmod 600 ${path}`)
    return ok(await file.readFile('utf8'))
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'ENOENT' || code === 'ENOTDIR') return err(`The ${what} ${path} does not exist; mend ${name}.`)
    if (code === 'EACCES') return err(`The ${what} ${path} may not be read by this user.`)
    return err(`The ${what} ${path} cannot be read (${typeof code === 'string' ? code : 'unknown cause'}).`)
  }
}

/** The mode of a file that others can do something with, else `null`. */
async function exposureOf(file: FileHandle): Promise<string | null> {
  // Windows has no such modes, and reports them as open to all.
  if (process.platform === 'win32') return null
  const { mode, uid } = await file.stat()
  const forbidden = uid === 0 && process.getuid?.() !== 0 ? othersBeyondReadingGroup : othersDoAnything
  return (mode & forbidden) === 0 ? null : (mode & 0o777).toString(8).padStart(4, '0')
}

/** Changes whenever one of the files may have changed: another file at its path, another length, another time. */
export async function stampOf({ certPath, keyPath, clientCaPath }: TlsSettings): Promise<string> {
  const paths = clientCaPath === null ? [certPath, keyPath] : [certPath, keyPath, clientCaPath]
  return (await Promise.all(paths.map(stampOfOne))).join(' ')
}

async function stampOfOne(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}
