import { describe, expect, it } from 'vitest'
import { parseRedisUrl } from './redis-target.ts'

describe('parseRedisUrl', () => {
  it('reads one server with all that a URL can hold', () => {
    expect(parseRedisUrl('rediss://some%40one:se%2Fcret@cache.example:6380/2')._unsafeUnwrap()).toEqual({
      kind: 'standalone',
      nodes: [{ host: 'cache.example', port: 6380 }],
      tls: true,
      username: 'some@one',
      password: 'se/cret',
      database: 2,
    })
  })

  it('reads several nodes as a cluster, whose identity one of them may tell', () => {
    expect(parseRedisUrl('redis://a, redis://:word@[::1]:7001')._unsafeUnwrap()).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 6379 },
        { host: '::1', port: 7001 },
      ],
      tls: false,
      username: null,
      password: 'word',
      database: 0,
    })
  })

  it.each([
    '',
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis://a,',
    'redis://a,rediss://b',
    'redis://:one-word@a,redis://:other-word@b',
    'redis://a/1,redis://b/1',
    'redis://a:0',
    'redis://a/path',
    'redis://a?word=1',
    'redis://:%E0%A4%A-word@a',
  ])('refuses %j and repeats nothing of it', (url) => {
    const { kind, reason } = parseRedisUrl(url)._unsafeUnwrapErr()
    expect(kind).toBe('invalid-redis-url')
    expect(reason).not.toContain('word@')
    expect(reason).not.toContain('-word')
  })
})
