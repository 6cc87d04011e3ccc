import { createServer } from 'node:https'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { expect, it, onTestFinished, vi } from 'vitest'
import { selfSigned } from '../../../../../tests/lib/certificates.ts'
import { listening } from '../../../tests/webhook-receiver.ts'
import { webhookTransport } from './webhook-transport.ts'

const { cert, key } = await selfSigned({ names: ['localhost'] })

async function post(host: string, maxVersion: 'TLSv1.1' | 'TLSv1.3' = 'TLSv1.3'): Promise<Readonly<{ answer: unknown; requests: number }>> {
  let requests = 0
  const minVersion = 'TLSv1'
  const server = createServer({ cert, key, minVersion, maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }, (_request, response) => {
    requests += 1
    response.end('ok')
  })
  const { port } = await listening(server)
  const transport = webhookTransport({ allowDevelopmentTargets: true })
  onTestFinished(() => transport.close())
  const answer = await transport.post({ url: `https://${host}:${port}/`, headers: {}, body: '{}', timeoutMs: 5000 })
  return { answer: answer.isOk() ? answer.value : answer.error, requests }
}

function trustingTheCertificate(): void {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  onTestFinished(() => setDefaultCACertificates(before))
}

const refused = (code: string): object => ({
  answer: { kind: 'webhook-unanswered', cause: 'unreachable', reason: `TLS failed (${code})` },
  requests: 0,
})

it('refuses a self-signed certificate, also where the environment would not', async () => {
  expect(await post('localhost')).toEqual(refused('DEPTH_ZERO_SELF_SIGNED_CERT'))
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(await post('localhost')).toEqual(refused('DEPTH_ZERO_SELF_SIGNED_CERT'))
})

it('accepts a trusted certificate of the name that was called', async () => {
  trustingTheCertificate()
  expect(await post('localhost')).toEqual({ answer: { status: 200, retryAfterMs: null, body: 'ok' }, requests: 1 })
})

it.each(['hooks.localhost', '127.0.0.1'])('refuses a trusted certificate of another name than %s', async (host) => {
  trustingTheCertificate()
  expect(await post(host)).toEqual(refused('ERR_TLS_CERT_ALTNAME_INVALID'))
})

it('refuses versions of TLS before 1.2', async () => {
  trustingTheCertificate()
  expect(await post('localhost', 'TLSv1.1')).toMatchObject({ answer: { cause: 'unreachable' }, requests: 0 })
})
