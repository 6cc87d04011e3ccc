import { createHash, X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { authority, clientAuthority, connectTo } from '../../tests/tls.ts'
import { listening } from '../../tests/webhook-receiver.ts'
import { peerCertificateThumbprint } from './peer-certificate.ts'

async function thumbprintsSeen(client: object): Promise<readonly (string | null)[]> {
  const seen: (string | null)[] = []
  const options = { ...(await authority.issue()), ca: clientAuthority.cert, requestCert: true, rejectUnauthorized: false }
  const server = createServer(options, ({ socket }, response) => {
    seen.push(peerCertificateThumbprint(socket), peerCertificateThumbprint(socket))
    response.end()
  })
  const { port } = await listening(server)
  const socket = await connectTo(port, client)
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await new Promise((resolve) => socket.once('data', resolve))
  return seen
}

it('is the SHA-256 of the certificate, as a token names it', async () => {
  const client = await clientAuthority.issue({ for: 'client' })
  const expected = createHash('sha256').update(new X509Certificate(client.cert).raw).digest('base64url')
  expect(await thumbprintsSeen(client)).toEqual([expected, expected])
})

it('is none without a certificate, or with one that nobody vouches for', async () => {
  expect(await thumbprintsSeen({})).toEqual([null, null])
  expect(await thumbprintsSeen(await authority.issue({ for: 'client' }))).toEqual([null, null])
})

it('is none without TLS', () => {
  expect(peerCertificateThumbprint(new Socket())).toBeNull()
  expect(peerCertificateThumbprint(null)).toBeNull()
})
