import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Instant } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import type { TlsSettings } from '../assembly/index.ts'
import { readFiles, type TlsFiles } from './files.ts'

/** What a TLS server shows and trusts. */
export type TlsMaterial = Readonly<{
  /** In PEM. */
  cert: string
  key: string
  clientCa: readonly string[] | null
  /** SHA-256 of the certificate, in hexadecimal. */
  fingerprint: string
  /** Its names, as they stand in it. */
  names: string
  expiresAt: Instant
  /** Its file ends with a certificate that vouches for itself. */
  hasRoot: boolean
}>

/** Everything that stands in the way, each with how to mend it; never a key. */
export type TlsFaults = readonly string[]

/** Reads the files and holds them against each other. */
export async function readMaterial(settings: TlsSettings, now: Instant): Promise<Result<TlsMaterial, TlsFaults>> {
  const files = await readFiles(settings)
  return files.andThen((read) => judge(settings, read, now))
}

/** What can be said of files that are there: whether they are what they are named as, and fit each other. */
function judge(settings: TlsSettings, { cert, key, clientCa }: TlsFiles, now: Instant): Result<TlsMaterial, TlsFaults> {
  const certificate = parseCertificate(cert)
  const authorities = clientCa === null ? null : certificatesIn(clientCa)
  const privateKey = parseKey(key, settings.keyPath)
  const faults = [
    ...(certificate === null
      ? [`The certificate ${settings.certPath} is none in PEM.`]
      : lifetimeFaults(certificate, settings.certPath, now)),
    ...(typeof privateKey === 'string' ? [privateKey] : []),
    ...(authorities === null ? [] : authorityFaults(authorities, settings.clientCaPath ?? '')),
  ]
  if (certificate === null || typeof privateKey === 'string' || faults.length > 0) return err(faults)
  if (!certificate.checkPrivateKey(privateKey)) {
    return err([
      `The key ${settings.keyPath} does not fit the certificate ${settings.certPath}, whose first one has to be the server's own.`,
    ])
  }
  const unusable = usageFault({ cert, key, clientCa: authorities })
  if (unusable !== null) return err([`The certificate ${settings.certPath} cannot be used for TLS 1.3 (${unusable}).`])
  return ok({
    ...{ cert, key, clientCa: authorities },
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    names: certificate.subjectAltName ?? certificate.subject,
    expiresAt: certificate.validToDate.getTime(),
    hasRoot: certificatesIn(cert).some(vouchesForItself),
  })
}

function parseCertificate(text: string): X509Certificate | null {
  try {
    return new X509Certificate(text)
  } catch {
    return null
  }
}

/** The key, or what is wrong with it. OpenSSL's own words could quote it. */
function parseKey(text: string, path: string): KeyObject | string {
  // Both forms of it: PKCS #8, and the older one with a Proc-Type.
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: *4, *ENCRYPTED/m.test(text)) {
    return `The key ${path} is protected by a password, which nobody can type at a start; write it without one: openssl pkey -in ${path} -out <new file>`
  }
  try {
    return createPrivateKey(text)
  } catch {
    return `The key ${path} is no private key in PEM.`
  }
}

function lifetimeFaults({ validToDate, validFromDate }: X509Certificate, path: string, now: Instant): TlsFaults {
  if (validToDate.getTime() <= now) return [`The certificate ${path} has expired, at ${validToDate.toISOString()}; get a new one.`]
  if (validFromDate.getTime() > now) return [`The certificate ${path} is not valid before ${validFromDate.toISOString()}.`]
  return []
}

/** One by one: of a file that does not end its lines OpenSSL would read the first alone, without a word. */
function certificatesIn(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
}

function vouchesForItself(text: string): boolean {
  const certificate = parseCertificate(text)
  return certificate?.checkIssued(certificate) === true
}

function authorityFaults(blocks: readonly string[], path: string): TlsFaults {
  if (blocks.length === 0) return [`The file ${path} holds no certificate in PEM; it has to hold the authorities of client certificates.`]
  const certificates = blocks.map(parseCertificate)
  if (certificates.some((certificate) => certificate === null)) return [`The file ${path} holds a certificate that cannot be read.`]
  const stranger = certificates.find((certificate) => certificate?.ca === false)
  if (stranger === undefined || stranger === null) return []
  return [`The file ${path} holds ${oneLine(stranger.subject)}, which is no authority (CA:TRUE) and could vouch for nobody.`]
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ')
}

/** What OpenSSL has against it, such as a key that is too small; `null` when nothing. */
function usageFault({ cert, key, clientCa }: Pick<TlsMaterial, 'cert' | 'key' | 'clientCa'>): string | null {
  try {
    createSecureContext({ cert, key, ...(clientCa === null ? {} : { ca: [...clientCa] }), minVersion: 'TLSv1.3' })
    return null
  } catch (error) {
    const { code } = error as { code?: unknown }
    return typeof code === 'string' ? code : 'unknown cause'
  }
}
