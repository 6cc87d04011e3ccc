import { expect, it } from 'vitest'
import { openApp, openServer } from '../../tests/support.ts'
import { secureHeadersWith } from '../server/secure-headers.ts'
import { strictTransportSecurity } from './strict-transport.ts'

const tls = { certPath: '', keyPath: '', clientCaPath: null, clientAuth: 'optional' } as const

it.each([
  ['production', tls, [], 'max-age=31536000'],
  ['staging', tls, [], 'max-age=31536000'],
  ['development', tls, [], 'max-age=300'],
  ['production', null, ['10.0.0.0/8'], 'max-age=31536000'],
  ['staging', null, ['10.0.0.0/8'], null],
  ['development', null, [], null],
] as const)('says of the transport in %s what is true there', (env, given, trustProxy, expected) => {
  expect(strictTransportSecurity({ env, tls: given, trustProxy })).toBe(expected)
})

it('goes with every answer', async () => {
  const { call } = await openApp({ secureHeaders: secureHeadersWith('max-age=300') })
  for (const path of ['/health', '/config', '/nowhere', '/docs', '/payments/none']) {
    expect((await call('GET', path)).headers.get('strict-transport-security')).toBe('max-age=300')
  }
})

it('is not claimed over plain HTTP', async () => {
  const { url } = await openServer()
  expect((await fetch(`${url}/health`)).headers.get('strict-transport-security')).toBeNull()
})
