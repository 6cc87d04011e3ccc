import { describe, expect, it } from 'vitest'
import { parseAmqpUrls } from './amqp-url.ts'

describe('parseAmqpUrls', () => {
  it.each([
    ['amqp://localhost', ['amqp://localhost']],
    ['amqps://user:se%2Fcret@one:5671/cbp?heartbeat=5, amqps://two', ['amqps://user:se%2Fcret@one:5671/cbp?heartbeat=5', 'amqps://two']],
    ['amqp://[::1]:5672/%2F', ['amqp://[::1]:5672/%2F']],
  ])('takes %s', (text, urls) => {
    expect(parseAmqpUrls(text)._unsafeUnwrap()).toEqual(urls)
  })

  it.each([
    '',
    'amqp://',
    'amqp:host',
    'amqp:///vhost',
    'amqp://a,',
    'http://a',
    'amqp://:some-word@a:0',
    'amqp://user:%zz-word@a',
    'amqp://user:some-word@a/%zz',
    'amqp://user:some-word@a/b/c',
    'amqp://user:some-word@a#b',
    'amqp://user:some-word@a?heartbeat=0',
    'amqp://user:some-word@a?heartbeat=never',
    'amqps://user:some-word@a?verify=verify_none',
    'amqps://user:some-word@a?cacertfile=/ca.pem',
    'amqps://user:some-word@a?constructor=1',
  ])('refuses %j and repeats nothing of it', (text) => {
    const { kind, reason } = parseAmqpUrls(text)._unsafeUnwrapErr()
    expect(kind).toBe('invalid-amqp-url')
    expect(reason).not.toContain('-word')
  })
})
