import { describe, expect, it } from 'vitest'
import { readAddressBlock } from './address-blocks.ts'

describe('a block of addresses', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7/32'],
    ['192.0.2.7/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::1', '2001:db8::1/128'],
    ['2001:db8:0:1::/64', '2001:db8:0:1::/64'],
    ['::ffff:192.0.2.7/120', '::ffff:c000:200/120'],
  ])('%s is %s', (text, block) => expect(readAddressBlock(text)).toBe(block))

  it.each([
    '',
    '192.0.2',
    '192.0.2.256',
    '010.0.0.1',
    '0x7f.1',
    '10.0.0.0/33',
    '::/129',
    '::1/',
    '/24',
    'fe80::1%eth0',
    'example.com',
    ' 10.0.0.1',
    '10.0.0.1/2.5',
    '1::2::3',
  ])('is not %j', (text) => expect(readAddressBlock(text)).toBeNull())
})
