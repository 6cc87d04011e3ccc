import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listening, withoutNetwork } from '../../../tests/webhook-receiver.ts'
import { webhookTransport } from './webhook-transport.ts'

function transport(allowDevelopmentTargets: boolean): ReturnType<typeof webhookTransport> {
  const resolver = { resolve: () => Promise.reject(new Error('nothing is resolved here')), close: () => undefined }
  const opened = webhookTransport({ allowDevelopmentTargets, resolver })
  onTestFinished(() => opened.close())
  return opened
}

/** Forbidden in every environment. `PORT` is that of a server which listens on every loopback address. */
const hostileEverywhere: readonly string[] = [
  // no target at all
  '',
  'x',
  'https:',
  'https://',
  'https:///hook',
  'https:hooks.example.com/hook',
  '//hooks.example.com/hook',
  'ftp://hooks.example.com/hook',
  'file:///etc/passwd',
  'data:text/plain,x',
  'javascript:alert(1)',
  'gopher://127.0.0.1:PORT/',
  'unix:/var/run/docker.sock',
  'wss://hooks.example.com/hook',
  `https://hooks.example.com/${'x'.repeat(2048)}`,
  // what the parser would forgive
  ' https://hooks.example.com/hook',
  'https://hooks.example.com/hook\n',
  'https://hooks.exa\tmple.com/hook',
  'https:\\\\hooks.example.com\\hook',
  'https://hooks.example.com\\@127.0.0.1:PORT/',
  'https://user@hooks.example.com/',
  'https://user:password@hooks.example.com/',
  'https://@hooks.example.com/',
  'https://:@hooks.example.com/',
  'https://hooks.example.com@127.0.0.1:PORT/',
  'https://hooks.example.com/hook#part',
  'https://hooks.example.com/hook#',
  'https://hooks.example.com:0/hook',
  'https://hooks.example.com:65536/hook',
  'https://hooks.example.com:port/hook',
  'https://hooks..example.com/',
  'https://.example.com/',
  'https://./',
  'https://[::1/',
  'https://[fe80::1%25eth0]:PORT/',
  'https://[fe80::1%eth0]/',
  'https://[::1%lo]:PORT/',
  // unspecified
  'https://0.0.0.0:PORT/',
  'https://0:PORT/',
  'https://0.1.2.3/',
  'https://[::]:PORT/',
  'https://[0:0:0:0:0:0:0:0]:PORT/',
  // private
  'https://10.0.0.1/',
  'https://10.255.255.255/',
  'https://172.16.0.1/',
  'https://172.31.255.254/',
  'https://192.168.0.1/',
  'https://0xC0A80001/',
  'https://3232235521/',
  'https://0300.0250.0.1/',
  'https://192.168.1/',
  'https://[fc00::1]/',
  'https://[fd12:3456:789a::1]/',
  // link-local and the hosts of cloud platforms
  'https://169.254.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://2852039166/latest/meta-data/',
  'https://0xa9.0xfe.0xa9.0xfe/',
  'https://0251.0376.0251.0376/',
  'https://169.254.169.254./',
  'https://[fe80::1]/',
  'https://[febf::1]/',
  'https://[fec0::1]/',
  'https://[fd00:ec2::254]/',
  'https://[fd20:ce::254]/',
  'https://168.63.129.16/',
  'https://100.100.100.200/',
  'https://192.0.0.192/',
  'https://metadata.google.internal/',
  'https://metadata.google.internal./',
  // shared, documentation, benchmarking, multicast, reserved
  'https://100.64.0.1/',
  'https://100.127.255.255/',
  'https://192.0.0.8/',
  'https://192.0.2.1/',
  'https://198.51.100.1/',
  'https://203.0.113.1/',
  'https://192.88.99.1/',
  'https://198.18.0.1/',
  'https://198.19.255.255/',
  'https://224.0.0.1/',
  'https://239.255.255.255/',
  'https://240.0.0.1/',
  'https://255.255.255.255/',
  'https://4294967295/',
  'https://[ff02::1]/',
  'https://[2001:db8::1]/',
  'https://[3fff::1]/',
  'https://[3fff:fff::1]/',
  'https://[100::1]/',
  'https://[2001:2::1]/',
  'https://[2001:10::1]/',
  'https://[2001:20::1]/',
  'https://[5f00::1]/',
  'https://[4000::1]/',
  'https://[::2]/',
  // IPv6 around an IPv4 address
  'https://[::ffff:127.0.0.1]:PORT/',
  'https://[::ffff:7f00:1]:PORT/',
  'https://[::FFFF:127.0.0.1]:PORT/',
  'https://[0:0:0:0:0:ffff:127.0.0.1]:PORT/',
  'https://[::ffff:10.0.0.1]/',
  'https://[::ffff:169.254.169.254]/',
  'https://[::ffff:8.8.8.8]/',
  'https://[::ffff:0:127.0.0.1]:PORT/',
  'https://[::127.0.0.1]:PORT/',
  'https://[::169.254.169.254]/',
  'https://[64:ff9b::127.0.0.1]:PORT/',
  'https://[64:ff9b::a9fe:a9fe]/',
  'https://[64:ff9b:1::1]/',
  'https://[2002:7f00:1::1]:PORT/',
  'https://[2002:a9fe:a9fe::1]/',
  'https://[2001::1]/',
  'https://[2001:0:7f00:1::]/',
  // names of this network
  'https://printer.local/',
  'https://PRINTER.LOCAL./',
  'https://vault.internal/',
  'https://router.home.arpa/',
  'https://hidden.onion/',
  'https://intranet/',
  'https://kubernetes/',
  'https://redis:6379/',
]

/** Forbidden but in development. */
const hostileOutsideDevelopment: readonly string[] = [
  'http://hooks.example.com/hook',
  'HTTP://hooks.example.com/hook',
  'http://8.8.8.8/',
  'http://127.0.0.1:PORT/',
  'https://127.0.0.1:PORT/',
  'https://127.0.0.1.:PORT/',
  'https://127.1:PORT/',
  'https://127.0.1:PORT/',
  'https://127.255.255.254:PORT/',
  'https://2130706433:PORT/',
  'https://0x7f000001:PORT/',
  'https://0x7f.1:PORT/',
  'https://0x7F.0x0.0x0.0x1:PORT/',
  'https://017700000001:PORT/',
  'https://0177.0.0.1:PORT/',
  'https://0177.0.0.01:PORT/',
  'https://127.0x1:PORT/',
  'https://%31%32%37.0.0.1:PORT/',
  'https://１２７.０.０.１:PORT/',
  'https://①②⑦.⓪.⓪.①:PORT/',
  'https://127。0。0。1:PORT/',
  'https://[::1]:PORT/',
  'https://[0:0:0:0:0:0:0:1]:PORT/',
  'https://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/',
  'https://localhost:PORT/',
  'https://LOCALHOST:PORT/',
  'https://localhost.:PORT/',
  'https://ｌｏｃａｌｈｏｓｔ:PORT/',
  'https://%6c%6f%63%61%6c%68%6f%73%74:PORT/',
  'https://loc\u00adalhost:PORT/',
  'https://app.localhost:PORT/',
  'https://a.b.localhost.:PORT/',
]

const allowedEverywhere: readonly string[] = [
  'https://hooks.example.com',
  'https://hooks.example.com/',
  'https://hooks.example.com./hook',
  'HTTPS://Hooks.Example.COM/hook?tenant=1&x=%20',
  'https://hooks.example.com:8443/hook',
  'https://hooks.example.com:1/hook',
  'https://bücher.example/hook',
  'https://localhost.example.com/hook',
  'https://internal.example.com/hook',
  'https://8.8.8.8/hook',
  'https://172.32.0.1/hook',
  'https://100.128.0.1/hook',
  'https://[2606:4700:4700::1111]/hook',
  'https://[2a00:1450:4001:81b::200e]:8443/hook',
]

const request = { headers: {}, body: '{}', timeoutMs: 1000 }

describe('a hostile URL', () => {
  it.each([
    [false, [...hostileEverywhere, ...hostileOutsideDevelopment]],
    [true, hostileEverywhere],
  ] as const)('is forbidden with a reason and opens no connection (development: %j)', async (development, urls) => {
    const server = await listening(createServer())
    const webhooks = transport(development)
    for (const url of urls.map((text) => text.replace('PORT', String(server.port)))) {
      expect(webhooks.check(url), url).toMatchObject({ kind: 'forbidden-target', reason: expect.stringMatching(/^The URL /) })
      const answer = await webhooks.post({ ...request, url })
      expect(answer._unsafeUnwrapErr(), url).toMatchObject({ kind: 'webhook-unanswered', cause: 'forbidden' })
    }
    expect(server.connections()).toBe(0)
  })

  it('does not get as far as a socket', async () => {
    const network = withoutNetwork()
    const webhooks = transport(false)
    const urls = [...hostileEverywhere, ...hostileOutsideDevelopment].map((text) => text.replace('PORT', '443'))
    await Promise.all(urls.map((url) => webhooks.post({ ...request, url })))
    expect(network.attempts()).toEqual([])
  })
})

describe('a URL that can be a target', () => {
  it.each(allowedEverywhere)('%s passes the check in every environment', (url) => {
    expect([transport(false).check(url), transport(true).check(url)]).toEqual([null, null])
  })

  it.each(hostileOutsideDevelopment)('%s passes the check in development', (url) => {
    expect(transport(true).check(url.replace('PORT', '3000'))).toBeNull()
  })
})
