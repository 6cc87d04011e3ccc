import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

const thumbprints = new WeakMap<TLSSocket, string | null>()

/** SHA-256 of the client certificate of a connection, in base64url as `cnf` has it (RFC 8705, 3.1); `null` where there is none. */
export function certificateThumbprint(socket: Socket | undefined): string | null {
  if (!(socket instanceof TLSSocket)) return null
  const known = thumbprints.get(socket)
  if (known !== undefined) return known
  // Absent fields are `undefined` where the client showed none, whatever the types say.
  const { fingerprint256 } = socket.getPeerCertificate() as { fingerprint256?: string }
  const thumbprint = fingerprint256 === undefined ? null : Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
  thumbprints.set(socket, thumbprint)
  return thumbprint
}
