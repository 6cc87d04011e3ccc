import type { Draft, Operation } from './draft.ts'
import { any, hasPathNames, type Kind, type Parts, targetOf, wire } from './kind.ts'

/** What takes the place of a name in the path, as it is written there. */
const segments: Readonly<Record<string, readonly string[]>> = {
  'dots upwards': ['..', '../..', '..%2f..%2fetc%2fpasswd', '%2e%2e', '%2e%2e%2f'],
  'an encoded slash': ['a%2fb', '%2f', '%2F%2F'],
  'a backslash': ['a%5cb', '..%5c..%5cwindows', '\\..\\'],
  'an encoded zero': ['%00', 'a%00b', 'a%00.json'],
  'half an escape': ['%', '%2', 'a%zz', '%u0041', '%%'],
  'a double escape': ['%252e%252e', '%2500', '%25'],
  'overlong UTF-8': ['%c0%ae%c0%ae', '%e0%80%af', '%ff', '%ed%a0%80'],
  'line breaks': ['%0d%0aset-cookie:%20planted=1', 'a%0ab', '%0d%0a%0d%0aHTTP/1.1%20200%20OK'],
  'line separators': ['%e2%80%a8', '%c2%85', '%1b%5b31m'],
  'a long name': ['n'.repeat(200), 'n'.repeat(5_000)],
  nothing: [''],
  'matrix parameters': ['a;b=c', ';', 'a;jsessionid=1'],
  capitals: ['PAYMENTS', '01890A5D-AC96-774B-BCCE-B302099A8057'],
  'an id that nobody has': [
    '01890a5d-ac96-774b-bcce-b302099a8057',
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ],
  'nearly an id': [
    '01890a5d-ac96-774b-bcce-b302099a805',
    '01890a5dac96774bbcceb302099a8057',
    '{01890a5d-ac96-774b-bcce-b302099a8057}',
    '1',
  ],
  'a name of every object': ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then'],
  'a reserved name': ['$schema', 'watch', 'changes', 'changesets', 'export', 'security', 'null', 'undefined', '-', '*'],
  'SQL quotes': ["x'%20or%20'1'='1", '1;--', '%27', "a'||'b"],
  'other letters': ['%d0%b0dmin', '%ef%bc%8e%ef%bc%8e', '%f0%9f%92%a9', '%cc%81'],
  'a card number': ['4111111111111111', 'DE89370400440532013000'],
  'a number out of bounds': ['0', '-1', '99999999999999999999', '1e9', '1.5', '0x1'],
}

function segmentKind(name: string, texts: readonly string[]): Kind {
  return {
    name: `path: ${name}`,
    fits: hasPathNames,
    make: (draft, { of }) => {
      const parts = draft.operation.path.slice(1).split('/')
      const at = of(parts.flatMap((part, index) => (part.startsWith('{') ? [index] : [])))
      return wire({ ...draft, segments: draft.segments.map((segment, index) => (index === at ? of(texts) : segment)) })
    },
  }
}

/** Whole targets, from the ordinary one. */
const targets: Readonly<Record<string, (path: string) => string>> = {
  'a slash at its end': (path) => path.replace(/(\?|$)/, '/$1'),
  'a slash twice': (path) => `/${path}`,
  'a slash twice within': (path) => path.replace(/^(\/[^/?]+)/, '$1//'),
  'more behind it': (path) => path.replace(/(\?|$)/, '/more$1'),
  'upwards and back': (path) => `/health/..${path}`,
  'a dot within': (path) => `/.${path}`,
  'in capitals': (path) => path.toUpperCase(),
  'with a fragment': (path) => `${path}#fragment`,
  'as a whole address': (path) => `http://127.0.0.1${path}`,
  'as an address elsewhere': (path) => `http://elsewhere.invalid${path}`,
  'as a strange address': (path) => `gopher://x@[::1]:0${path}`,
  'an asterisk': () => '*',
  'an authority': () => '127.0.0.1:80',
  'no slash': (path) => path.slice(1),
  'a question mark alone': (path) => `${path.split('?')[0]}?`,
  'an encoded question mark': (path) => path.replace('?', '%3f'),
  'a blank': (path) => `${path} x`,
  'a tab': (path) => `${path}\tx`,
  'raw bytes': (path) => `${path.split('?')[0]}/\xe9\xff`,
  'a thousand segments': (path) => `${path.split('?')[0]}${'/a'.repeat(1_000)}`,
  'longer than any': (path) => `${path.split('?')[0]}/${'a'.repeat(20_000)}`,
  'another place': () => '/../../../../etc/passwd',
  'a hidden file': () => '/.env',
  'an admin page of others': () => '/actuator/env',
}

const isRaw: ReadonlySet<string> = new Set([
  'a blank',
  'a tab',
  'raw bytes',
  'no slash',
  'longer than any',
  'an authority',
  'as a strange address',
])

function targetKind(name: string, change: (path: string) => string): Kind {
  return { name: `target: ${name}`, fits: any, make: (draft) => wire(draft, { target: change(targetOf(draft)), isLast: isRaw.has(name) }) }
}

/** Pairs that are added to the query as they are. */
const additions: Readonly<Record<string, readonly string[]>> = {
  'an unknown name': ['unknown=1', 'admin=true', 'callback=alert', 'debug=1', '_method=DELETE'],
  'a name twice': ['limit=1&limit=2', 'scope=/&scope=/production', 'limit=1&limit=1'],
  'a list': ['limit[]=1', 'scope[0]=/', 'a[b][c]=1', 'a.b=1'],
  prototypes: ['__proto__=1', '__proto__[polluted]=1', 'constructor[prototype][polluted]=1', 'constructor=1'],
  'no name': ['=1', '&', '=', '&&&&'],
  'no value': ['limit', 'limit=', 'scope=', 'cursor=', 'asOf='],
  'half an escape': ['limit=%', 'scope=%2', '%=1', 'a=%zz'],
  'no UTF-8': ['scope=%ff', 'reason=%c0%af', '%ff=1'],
  'a zero': ['scope=/%00', 'reason=a%00b', 'userId=%00'],
  'line breaks': ['reason=a%0d%0ab', 'scope=/%0a', 'actor=%0d%0aset-cookie:planted=1'],
  'a limit out of bounds': [
    'limit=0',
    'limit=-1',
    'limit=501',
    'limit=1e9',
    'limit=99999999999999999999',
    'limit=1.5',
    'limit=0x10',
    'limit=%201',
    'limit=%ef%bc%91',
  ],
  'a cursor of nobody': [
    'cursor=x',
    'cursor=%00',
    `cursor=${'A'.repeat(5_000)}`,
    'cursor=cGF5bWVudDox',
    'cursor=..%2f',
    `cursor=${Buffer.from("payment:' or 1=1").toString('base64url')}`,
  ],
  'a scope out of bounds': [
    'scope=..',
    'scope=/a/b/c/d/e',
    'scope=//',
    'scope=/Production',
    'scope=/..',
    'scope=%2fproduction%2f',
    `scope=/${'s'.repeat(100)}`,
  ],
  'an instant that is none': [
    'from=2026-02-30T00:00:00Z',
    'from=now',
    'from=0',
    'to=%2b275760-09-13T00:00:00.001Z',
    'asOf=2026-13-01T00:00:00Z',
    'from=2026-01-01',
    'asOf=-1',
    'asOf=99999999999999999999',
  ],
  'a status of nobody': ['status=completed', 'status=', 'status=DROP', 'status[]=FAILED'],
  'a name of many': [Array.from({ length: 1_000 }, (_, index) => `p${index}=1`).join('&')],
  'a long value': [`reason=${'r'.repeat(6_000)}`, `userId=${'u'.repeat(2_000)}`, `scope=/${'s'.repeat(6_000)}`],
  'SQL quotes': ["userId=x'%20or%20'1'='1", "scope=/'", 'actor=%25', "subject=';--", 'userId=%5c'],
  'a cursor of changes': ['since=x', 'since=e1.1', 'since=-1', 'since=1.1.1', `since=${'9'.repeat(30)}`, 'since=999999'],
}

function queryKind(name: string, texts: readonly string[]): Kind {
  const make = (draft: Draft, addition: string): Parts => {
    const target = targetOf(draft)
    return { target: `${target}${target.includes('?') ? '&' : '?'}${addition}` }
  }
  return { name: `query: ${name}`, fits: any, make: (draft, { of }) => wire(draft, make(draft, of(texts))) }
}

const methods: Readonly<Record<string, readonly string[]>> = {
  'another of HTTP': ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'],
  HEAD: ['HEAD'],
  OPTIONS: ['OPTIONS'],
  TRACE: ['TRACE'],
  'of WebDAV': ['PROPFIND', 'MKCOL', 'LOCK', 'SEARCH', 'PURGE', 'M-SEARCH'],
  unknown: ['FOO', 'GETT', 'JEFF'],
  'in small letters': ['get', 'post', 'Delete'],
  CONNECT: ['CONNECT'],
  long: ['A'.repeat(5_000)],
}

const ordinary = (name: string): boolean => name === 'another of HTTP' || name === 'HEAD' || name === 'OPTIONS'

/** Not where it would open a stream that nobody reads, or end what others use. */
const isHarmless = ({ path }: Operation): boolean => path !== '/config/watch'

function methodKind(name: string, given: readonly string[]): Kind {
  return {
    name: `method: ${name}`,
    fits: isHarmless,
    make: (draft, { of }) => wire(draft, { method: of(given), isLast: !ordinary(name), isOwed: name !== 'CONNECT' }),
  }
}

export const targetKinds: readonly Kind[] = [
  ...Object.entries(segments).map(([name, texts]) => segmentKind(name, texts)),
  ...Object.entries(targets).map(([name, change]) => targetKind(name, change)),
  ...Object.entries(additions).map(([name, texts]) => queryKind(name, texts)),
  ...Object.entries(methods).map(([name, given]) => methodKind(name, given)),
]
