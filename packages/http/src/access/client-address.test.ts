import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressFinder, isWithin } from './client-address.ts'

const find = addressFinder(['10.0.0.0/8', 'fd00::/8', '::ffff:192.168.0.0/112'])
const text = (remote: string | undefined, forwardedFor?: string): string => find(remote, forwardedFor).text

describe('the address of a client', () => {
  it.each<[string, string, string | undefined, string | undefined]>([
    ['that of the connection', '192.0.2.1', '192.0.2.1', undefined],
    ['IPv4 where it is mapped into IPv6', '192.0.2.1', '::ffff:192.0.2.1', undefined],
    ['that of the connection, whatever a stranger claims', '192.0.2.1', '192.0.2.1', '198.51.100.7'],
    ['what a trusted proxy heard', '198.51.100.7', '10.0.0.1', '198.51.100.7'],
    ['what a trusted proxy heard, mapped', '198.51.100.7', '::ffff:10.0.0.1', '198.51.100.7'],
    ['the hop before the trusted ones', '198.51.100.7', '10.0.0.1', '203.0.113.9, 198.51.100.7, 10.2.2.2'],
    ['never what the client wrote before that', '198.51.100.7', '10.0.0.1', '127.0.0.1, 10.0.0.9, 198.51.100.7'],
    ['the farthest proxy where all are trusted', '10.3.3.3', '10.0.0.1', '10.3.3.3, 10.2.2.2'],
    ['the last trusted one before an entry that is none', '10.2.2.2', '10.0.0.1', '198.51.100.7, unknown, 10.2.2.2'],
    ['the connection when the only entry is none', '10.0.0.1', '10.0.0.1', "'; DROP TABLE x"],
    ['the connection when the entry is empty', '10.0.0.1', '10.0.0.1', ''],
    ['not what only some read as an address', '10.0.0.1', '10.0.0.1', '0300.0250.0.1'],
    ['not a number', '10.0.0.1', '10.0.0.1', '3232235521'],
    ['without the port', '198.51.100.7', '10.0.0.1', '198.51.100.7:4711'],
    ['IPv6 in brackets with a port', '2001:db8::1', 'fd00::1', '[2001:db8::1]:443'],
    ['IPv6 in its shortest form', '2001:db8::1', '2001:0DB8:0:0:0:0:0:1', undefined],
    ['trusted by a block that is written as mapped', '198.51.100.7', '192.168.0.5', '198.51.100.7'],
    ['unknown without a connection', 'unknown', undefined, '198.51.100.7'],
  ])('is %s', (_name, expected, remote, forwardedFor) => expect(text(remote, forwardedFor)).toBe(expected))

  it('counts IPv6 by the network of a subscriber, IPv4 by itself', () => {
    expect(find('2001:db8:1:2:aaaa::1', undefined).partition).toBe(find('2001:db8:1:2:ffff:ffff:ffff:ffff', undefined).partition)
    expect(find('2001:db8:1:2::1', undefined).partition).not.toBe(find('2001:db8:1:3::1', undefined).partition)
    expect(find('::ffff:192.0.2.1', undefined).partition).toBe(find('192.0.2.1', undefined).partition)
    expect(find('192.0.2.1', undefined).partition).not.toBe(find('192.0.2.2', undefined).partition)
  })

  it('is never one that the client chose, whatever it writes before what the proxy appends', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.7', '127.0.0.1, ')), (written) => {
        expect(text('10.0.0.1', `${written}, 198.51.100.7`)).toBe('198.51.100.7')
      }),
    ))

  it('is found among no more hops than there can be', () => {
    expect(text('10.0.0.1', `198.51.100.7, ${'10.0.0.2, '.repeat(1000)}10.0.0.3`)).toBe('10.0.0.2')
  })

  it('lies in a block, or does not', () => {
    const within = (address: string, ...blocks: readonly string[]): boolean => isWithin(find(address, undefined), blocks)
    expect([
      within('192.0.2.1', '192.0.2.0/24'),
      within('::ffff:192.0.2.1', '192.0.2.1/32'),
      within('2001:db8::1', '2001:db8::/32'),
    ]).toEqual([true, true, true])
    expect([within('192.0.3.1', '192.0.2.0/24'), within('192.0.2.1', '::/0'), within('192.0.2.1', 'x'), within('192.0.2.1')]).toEqual([
      false,
      false,
      false,
      false,
    ])
  })
})
