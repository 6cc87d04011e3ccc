import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from './json.ts'
import { maskFields, maskText } from './masking.ts'
import { anyInstant, anyJsonObject, anyText, anyTraceparent, anyUuid } from './testing/arbitraries.ts'
import { toBase64 } from './testing/base-64.ts'
import { propertySeed, propertyTimeoutMs } from './testing/property.ts'

const anyOf = (characters: string, minLength: number, maxLength = minLength): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength })

const digits = '0123456789'
const lower = 'abcdefghijklmnopqrstuvwxyz'
const alphanumerics = `${digits}${lower}${lower.toUpperCase()}`
const base64Url = `${alphanumerics}_-`

function checkDigit(body: string): string {
  for (const digit of digits) {
    const sum = [...(body + digit)]
      .toReversed()
      .map((each, index) => Number(each) * (index % 2 === 0 ? 1 : 2))
      .reduce((total, each) => total + (each > 9 ? each - 9 : each), 0)
    if (sum % 10 === 0) return digit
  }
  throw new Error('one of ten fits')
}

function grouped(text: string, separator: string): string {
  return text.match(/.{1,4}/g)?.join(separator) ?? text
}

const anySeparator = fc.constantFrom('', ' ', '-')
const anyCard = (prefix: fc.Arbitrary<string>, length: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  fc
    .tuple(prefix, length, anyOf(digits, 19), anySeparator)
    .map(([start, count, rest, separator]) => grouped(withCheckDigit(`${start}${rest}`.slice(0, count - 1)), separator))
const withCheckDigit = (body: string): string => body + checkDigit(body)

const anySchemeCard = fc.oneof(
  anyCard(fc.constantFrom('4', '4111'), fc.constantFrom(13, 16, 19)),
  anyCard(fc.constantFrom('51', '55', '2221', '2720', '2345'), fc.constant(16)),
  anyCard(fc.constantFrom('34', '37'), fc.constant(15)),
  anyCard(fc.constantFrom('6011', '65', '62'), fc.integer({ min: 16, max: 19 })),
)
/** Any issuer: it is known to be a card by standing alone. */
const anyIssuersCard = anyCard(fc.constantFrom('0', '2', '3', '5', '7', '9'), fc.integer({ min: 13, max: 19 }))

const anyIban = fc
  .tuple(fc.constantFrom('DE20', 'GB20', 'FR25', 'NO13', 'MT29', 'CH19', 'NL16'), anyOf(digits + lower.toUpperCase(), 30), anySeparator)
  .map(([country, rest, separator]) => {
    const bban = rest.slice(0, Number(country.slice(2)) - 2)
    const value = [...`${bban}${country.slice(0, 2)}00`].map((each) => Number.parseInt(each, 36)).join('')
    const check = String(98n - (BigInt(value) % 97n)).padStart(2, '0')
    return grouped(`${country.slice(0, 2)}${check}${bban}`, separator)
  })

const anyEmail = fc
  .tuple(
    anyOf(`${alphanumerics}._+-`, 1, 20),
    anyOf(lower, 1, 10),
    fc.constantFrom('com', 'co.uk', 'example', 'io'),
    fc.constantFrom('@', '%40'),
  )
  .map(([local, host, top, sign]) => `${local}${sign}${host}.${top}`)

const anyBytes = fc.array(fc.nat(255), { minLength: 24, maxLength: 48 }).map(toBase64)
const anyJwt = fc
  .tuple(anyOf(base64Url, 20, 60), anyOf(base64Url, 20, 60), anyOf(base64Url, 0, 43))
  .map(([header, claims, signature]) => `eyJ${header}.eyJ${claims}.${signature}`)
const anyApiKey = fc
  .tuple(
    fc.constantFrom('development', 'staging', 'production'),
    anyOf('0123456789abcdef', 32),
    anyOf(alphanumerics, 43),
    anyOf(alphanumerics, 6),
  )
  .map(([environment, id, secret, check]) => `cbp_${environment}_${id}_${secret}_${check}`)
const anyPrivateKey = fc
  .tuple(fc.constantFrom('', 'RSA ', 'EC ', 'ENCRYPTED '), anyBytes)
  .map(([kind, bytes]) => `-----BEGIN ${kind}PRIVATE KEY-----\n${bytes}\n-----END ${kind}PRIVATE KEY-----`)
const anyPassword = anyOf(`${alphanumerics}!$*~.`, 8, 20).filter((text) => /[0-9A-Z]/.test(text))
const planted: readonly (readonly [string, fc.Arbitrary<Readonly<{ text: string; secret: string }>>])[] = [
  ['a card number', anySchemeCard.map((secret) => ({ text: secret, secret }))],
  ['an account number', anyIban.map((secret) => ({ text: secret, secret }))],
  ['an e-mail address', anyEmail.map((secret) => ({ text: secret, secret }))],
  ['a JSON Web Token', anyJwt.map((secret) => ({ text: secret, secret: secret.slice(0, 40) }))],
  ['an API key', anyApiKey.map((secret) => ({ text: secret, secret: secret.split('_')[3] as string }))],
  ['a webhook secret', anyBytes.map((secret) => ({ text: `whsec_${secret}`, secret }))],
  ['a private key', anyPrivateKey.map((secret) => ({ text: secret, secret: secret.split('\n')[1] as string }))],
  ['bearer credentials', anyBytes.map((secret) => ({ text: `Bearer ${secret}`, secret }))],
  ['basic credentials', anyBytes.map((secret) => ({ text: `authorization: basic ${secret}`, secret }))],
  ['the password of a URL', anyPassword.map((secret) => ({ text: `amqps://user:${secret}@broker.example:5671/%2f`, secret }))],
  ['a password with its name', anyPassword.map((secret) => ({ text: `Server=db;Password=${secret};Encrypt=true`, secret }))],
  ['a password in JSON', anyPassword.map((secret) => ({ text: `{"password": "${secret}"}`, secret }))],
]

const surroundings = fc.oneof(anyText, fc.constantFrom('(', '"', "'", '=', ': ', '\n', '1', '42-', 'x', '.', '@', '://', '[masked]'))

function check<Inputs>(property: fc.IProperty<Inputs>, numRuns: number): void {
  fc.assert(property, { seed: propertySeed(), numRuns })
}

describe('masked text', () => {
  it.each(planted)(
    'does not contain %s, whatever stands around it',
    (_what, arbitrary) => {
      check(
        fc.property(surroundings, arbitrary, surroundings, (before, { text, secret }, after) => {
          expect(maskText(`${before}${text}${after}`)).not.toContain(secret)
        }),
        500,
      )
    },
    propertyTimeoutMs,
  )

  it('does not contain what passes for a card number of any issuer and stands alone', () => {
    check(
      fc.property(
        anyIssuersCard,
        fc.constantFrom('', ' ', ':', '"', '('),
        fc.constantFrom('', ' ', ';', '"', ')', '.'),
        (card, before, after) => {
          expect(maskText(`${before}${card}${after}`)).not.toContain(card)
        },
      ),
      500,
    )
  })

  it('keeps ids, instants, amounts, revisions and hashes as they are', () => {
    const ordinary = fc.oneof(
      anyUuid,
      anyTraceparent,
      anyInstant.map((instant) => new Date(instant).toISOString()),
      anyInstant.map(String),
      fc.integer({ min: 0, max: 10 ** 12 }).map(String),
      fc.tuple(fc.nat(10 ** 6), fc.nat(99)).map(([whole, cents]) => `${whole}.${cents}`),
      anyOf('0123456789abcdef', 64),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom(
        '/config/payments/limits.daily?scope=/production',
        'cbp_http_request_duration_seconds_bucket',
        'https://issuer.example/realm|billing',
        'basic authentication is not taken',
        'bearer of bad news',
        'sqlite:/var/lib/cbp/cbp.db',
        'rabbit@node1 is down',
        '@cbp/core@1.2.3',
        'api-key|0189a5c2-1234-7abc-8def-0123456789ab',
      ),
    )
    check(
      fc.property(ordinary, fc.constantFrom('', ' '), (text, before) => {
        expect(maskText(`${before}${text}`)).toBe(`${before}${text}`)
      }),
      2000,
    )
  })

  it.each([
    'password: hunter2',
    "{'token': 'hunter2'}",
    'api_key: hunter2, more',
    'the secret:hunter2',
    'Pwd : "hunter2"',
    '{"password":"some\\"hunter2"}',
    'mssql://sa:pass/hunter2@db',
  ])('does not contain what stands behind its name, however it is written: %s', (text) => {
    const masked = maskText(text)
    expect(masked).not.toContain('hunter2')
    expect(maskText(masked)).toBe(masked)
  })

  it.each(['the token: it has expired', 'no secret: nothing to hide', 'password: too short', 'see http://a/b and c@d'])(
    'keeps what is told of secrets: %s',
    (text) => expect(maskText(text)).toBe(text),
  )

  it('says what was there', () => {
    expect(maskText('paid by 4111 1111 1111 1111 for jane@example.com from DE89370400440532013000')).toBe(
      'paid by [masked card] for [masked email] from [masked account]',
    )
    expect(maskText('GET amqp://guest:guest@localhost:5672 failed')).toBe('GET amqp://[masked secret]@localhost:5672 failed')
  })

  const hostile = [
    'eyJ',
    '-----BEGIN ',
    'PRIVATE KEY-----',
    'cbp_a_',
    'bearer ',
    '://',
    '@',
    'a@',
    '%40',
    '4111 ',
    '4',
    'DE89',
    'token=',
    '"',
    'a.',
  ]

  // A pattern that goes back over what it has seen would take minutes.
  it.each(hostile)(
    'made of 100,000 characters of %s is masked in a time that its length bounds',
    (part) => {
      expect(maskText(`@=${part.repeat(Math.ceil(100_000 / part.length))}`).length).toBeGreaterThan(0)
    },
    5000,
  )

  it('masked again stays as it is', () => {
    check(
      fc.property(surroundings, fc.oneof(...planted.map(([, arbitrary]) => arbitrary)), surroundings, (before, { text }, after) => {
        const once = maskText(`${before}${text}${after}`)
        for (const [, mask] of once.matchAll(/(\[masked [a-z]+\])/g)) expect(maskText(mask as string)).toBe(mask)
      }),
      200,
    )
  })
})

describe('masked fields', () => {
  it.each([
    'password',
    'dbPassword',
    'client_secret',
    'accessToken',
    'x-api-key',
    'apiKey',
    'Authorization',
    'keyBase64',
    'cardNumber',
    'pan',
    'iban',
    'account_number',
    'email',
    'contactEmail',
    'phone',
    'payeeName',
  ])('show nothing of %s', (name) => {
    for (const value of ['plain', 4711, { a: 'plain' }, ['plain']] as const) {
      expect(JSON.stringify(maskFields({ outer: { [name]: value } }))).toMatch(/\[masked [a-z]+\]/)
      expect(JSON.stringify(maskFields({ outer: { [name]: value } }))).not.toMatch(/plain|4711/)
    }
    expect(maskFields({ [name]: null, [`${name}Id`]: 'k1' })).toEqual({ [name]: null, [`${name}Id`]: 'k1' })
  })

  it('stay as they are where there is nothing to hide', () => {
    const fields = { requestId: 'r-1', at: 1_767_225_600_000, amount: 999_999_999_999, revision: 42, key: 'limits.daily', hasToken: true }
    expect(maskFields(fields)).toEqual(fields)
  })

  it('show no secret at any depth, in any member, as a value or a name', () => {
    check(
      fc.property(anyJsonObject, fc.oneof(...planted.map(([, arbitrary]) => arbitrary)), (object, { text, secret }) => {
        const deep: JsonValue = { ...object, a: [{ b: [text, { [text]: 1 }] }] }
        expect(JSON.stringify(maskFields(deep))).not.toContain(JSON.stringify(secret).slice(1, -1))
      }),
      300,
    )
  })

  it('of a depth that nobody needs are left out', () => {
    let deep: JsonValue = 'end'
    for (let depth = 0; depth < 5000; depth += 1) deep = [deep]
    expect(JSON.stringify(maskFields({ deep })).length).toBeLessThan(200)
  })

  it('show no card number that was taken for a number', () => {
    expect(maskFields({ reference: 4_111_111_111_111_111 })).toEqual({ reference: '[masked card]' })
  })
})
