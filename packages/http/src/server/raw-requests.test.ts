import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openServer, type TestServer, token } from '../../tests/support.ts'

/** What comes back over one connection for these bytes, until the other side ends it or nothing comes for a while. */
function exchangeRaw({ listening }: TestServer, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(listening.port, '127.0.0.1')
    let got = ''
    const end = (): void => {
      socket.destroy()
      resolve(got)
    }
    socket.setEncoding('latin1').setTimeout(300, end)
    socket.on('data', (chunk: string) => {
      got += chunk
    })
    socket.once('error', reject).once('close', end)
    socket.write(text, 'latin1')
  })
}

const statuses = (got: string): readonly string[] => [...got.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? '')

describe('a request as its bytes', () => {
  it('is refused when it names two hosts, to either lane', async () => {
    const server = await openServer()
    const credential = `Authorization: Bearer ${await token()}`
    for (const [path, host] of [
      ['/config/payments/a', 'a'],
      ['/config/payments/a', 'A'],
      ['/config/payments', 'a'],
    ]) {
      const got = await exchangeRaw(server, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nHost: b\r\n${credential}\r\n\r\n`)
      expect(statuses(got)).toEqual(['400'])
      expect(got).toContain('"code":"bad-request"')
    }
  })

  it('has a credential with nothing around it but blanks', async () => {
    const server = await openServer()
    const good = await token()
    const asked = async (credential: string): Promise<readonly string[]> =>
      statuses(await exchangeRaw(server, `GET /config HTTP/1.1\r\nHost: a\r\nAuthorization: ${credential}\r\n\r\n`))
    expect(await asked(`Bearer  ${good} `)).toEqual(['200'])
    for (const around of ['\xa0', '\x0b', '\x0c']) {
      expect(await asked(`Bearer ${around}${good}`)).not.toEqual(['200'])
      expect(await asked(`Bearer ${good}${around}`)).not.toEqual(['200'])
    }
  })

  it.each(['.', '..', 'a/..', 'a/.', '%2e%2e/b', 'a/b/../c', './a'])('is the same to both lanes with dot segments: %s', async (path) => {
    const server = await openServer()
    const credential = `Authorization: Bearer ${await token()}`
    const [fast, slow] = await Promise.all(
      ['a', 'A'].map((host) => exchangeRaw(server, `GET /config/${path} HTTP/1.1\r\nHost: ${host}\r\n${credential}\r\n\r\n`)),
    )
    expect(/"code":"[^"]+"/.exec(fast ?? '')?.[0]).toBe(/"code":"[^"]+"/.exec(slow ?? '')?.[0])
    expect(statuses(fast ?? '')).toEqual(statuses(slow ?? ''))
  })

  it('is answered for itself when something that is no request comes behind it', async () => {
    const server = await openServer()
    const credential = `Authorization: Bearer ${await token()}`
    const body = '{"value":1,"reason":"x"}'
    const fields = `Host: a\r\n${credential}\r\nIf-None-Match: *\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
    const got = await exchangeRaw(server, `PUT /config/payments/a HTTP/1.1\r\n${fields}\r\n\r\n${body}GARBAGE\r\n\r\n`)
    expect(statuses(got)).toEqual(['201'])
    expect(got.toLowerCase()).toContain('connection: close')
  })

  it('may be followed by others before its answer, but not by a crowd', async () => {
    const server = await openServer()
    const request = 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n'
    expect(statuses(await exchangeRaw(server, request.repeat(32)))).toHaveLength(32)
    expect(statuses(await exchangeRaw(server, request.repeat(1000))).length).toBeLessThan(100)
  })
})
