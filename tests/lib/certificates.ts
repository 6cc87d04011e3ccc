import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate and its private key, both in PEM. */
export type TestCertificate = Readonly<{ cert: string; key: string }>

export type CertificateDetails = Readonly<{
  /** Host names and IP addresses; the first is also the common name. */
  names?: readonly string[]
  for?: 'server' | 'client'
  /** In days from now; negative lies in the past. */
  validFromDays?: number
  validToDays?: number
}>

export type CertificateAuthority = Readonly<{
  /** What its clients trust, in PEM. */
  cert: string
  issue: (details?: CertificateDetails) => Promise<TestCertificate>
}>

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000

/** An authority that nobody else trusts, made anew for each test run, so that no key lies in the repository and none expires. */
export async function certificateAuthority(commonName = 'Test authority'): Promise<CertificateAuthority> {
  const keys = await newKeys()
  const authority = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: `CN=${commonName}`,
    ...lifetime(-1, 3650),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  const signer = { name: authority.subject, key: keys.privateKey }
  return { cert: pemOf(authority), issue: (details = {}) => issue(signer, details) }
}

/** A certificate that vouches for itself, and that nobody trusts unless told to. */
export function selfSigned(details: CertificateDetails = {}): Promise<TestCertificate> {
  return issue(null, details)
}

type Signer = Readonly<{ name: string; key: webcrypto.CryptoKey }>

async function issue(signer: Signer | null, details: CertificateDetails): Promise<TestCertificate> {
  const { names = ['localhost', '127.0.0.1', '::1'], validFromDays = -1, validToDays = 365 } = details
  const keys = await newKeys()
  const usage = details.for === 'client' ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: `CN=${names[0]}`,
    issuer: signer?.name ?? `CN=${names[0]}`,
    ...lifetime(validFromDays, validToDays),
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([usage]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
    ],
  })
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { cert: pemOf(certificate), key: `${key}\n` }
}

/** Ends its line, so that files can be put behind each other. */
function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

function newSerialNumber(): string {
  return `01${crypto.randomUUID().replaceAll('-', '')}`
}

function lifetime(fromDays: number, toDays: number): Readonly<{ notBefore: Date; notAfter: Date }> {
  const now = Date.now()
  return { notBefore: new Date(now + fromDays * dayMs), notAfter: new Date(now + toDays * dayMs) }
}
