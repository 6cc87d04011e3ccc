import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

const thumbprints = new WeakMap<TLSSocket, string | null>()

/**
 * SHA-256 of the client certificate of a connection, in base64url as `cnf` of a token has it (RFC 8705, 3.1); `null` where
 * there is none, or none that an authority of CBP_TLS_CLIENT_CA vouches for.
 */
export function peerCertificateThumbprint(socket: Socket | null | undefined): string | null {
  if (!(socket instanceof TLSSocket)) return null
  const known = thumbprints.get(socket)
  if (known !== undefined) return known
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  const thumbprint =
    certificate === undefined ? null : Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
  thumbprints.set(socket, thumbprint)
  return thumbprint
}

/** Whether the client showed a certificate that nobody vouches for: worse than none, for it expects to be believed. */
export function isPeerUnverified(socket: TLSSocket): boolean {
  return !socket.authorized && socket.getPeerX509Certificate() !== undefined
}
