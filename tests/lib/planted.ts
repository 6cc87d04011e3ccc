export type Tool = 'biome' | 'oxlint' | 'layers' | 'patterns' | 'types' | 'knip'

/** One violation: where it is planted, and what the tool must say about that file. */
export type Planted = Readonly<{ rule: string; tool: Tool; file: string; text: string; finding: string }>

const core = 'packages/core/src'
const lines = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, i) => line(i)).join('\n')

const purity: readonly Planted[] = (
  [
    ['Date.now', 'export const now: number = Date.now()', 'Clock port'],
    ['new Date()', 'export const today: Date = new Date()', 'Clock port'],
    ['Math.random', 'export const chance: number = Math.random()', 'Random port'],
    ['console', "console.log('x')\nexport {}", 'noConsole'],
    ['a class', 'export class Entity {}', 'No classes in core'],
    ['a class expression', 'export const entity: unknown = class {}', 'No classes in core'],
    ['a default export', 'export default 1', 'noDefaultExport'],
  ] as const
).map(([rule, text, finding], index) => ({
  rule: `${rule} in core`,
  tool: 'biome',
  file: `${core}/config/pure-${index}.ts`,
  text: `${text}\n`,
  finding,
}))

const platform: readonly Planted[] = ['process.pid', 'globalThis.fetch', 'setTimeout(() => {}, 1)', 'fetch'].map((use, index) => ({
  rule: `${use} in core`,
  tool: 'oxlint',
  file: `${core}/config/platform-${index}.ts`,
  text: `export const used: unknown = ${use}\n`,
  finding: 'no-restricted-globals',
}))

const types: readonly Planted[] = (
  [
    ['process', 'export const pid: unknown = process.pid', 'TS2591'],
    ['fetch', 'export const get: unknown = fetch', 'TS2304'],
    ['a timer', 'export const timer: unknown = setTimeout', 'TS2304'],
    ['an enum', 'export enum Colour {\n  Red = 0,\n}', 'TS1294'],
    ['a decorator', 'declare const tag: never\n@tag\nexport class Tagged {}', 'TS1238'],
    ['an index without a check', 'const found: string = [0][1]\nexport { found }', 'TS2322'],
    ['an export of unspoken type', 'export const shape = Object.keys({})', 'TS9010'],
    ['a fake outside of testing', "export { fakeClock } from '../kernel/testing/fake-clock.ts'", 'Imported via'],
  ] as const
).map(([rule, text, finding], index) => ({
  rule: `${rule} does not compile in core`,
  tool: 'types',
  file: `${core}/config/typed-${index}.ts`,
  text: `${text}\n`,
  finding,
}))

const patterns: readonly Planted[] = (
  [
    ['exponential', 'export const words: RegExp = /^(?:\\w+\\s?)*$/', 'exponential'],
    ['quadratic', 'export const spaces: RegExp = /\\s+$/', '2nd degree polynomial'],
    ['exponential, made of a text', "export const words: RegExp = new RegExp('^(a|a)*$')", 'exponential'],
  ] as const
).map(([rule, text, finding], index) => ({
  rule: `a pattern whose time is ${rule}`,
  tool: 'patterns',
  file: `packages/http/src/pattern-${index}.ts`,
  text: `${text}\n`,
  finding,
}))

const everywhere: readonly Planted[] = [
  {
    rule: 'vi.mock',
    tool: 'biome',
    file: 'packages/http/src/mocked.test.ts',
    text: "import { vi } from 'vitest'\n\nvi.mock('./server.ts')\n",
    finding: 'No module mocks',
  },
  {
    rule: 'toDynamicValue',
    tool: 'biome',
    file: 'packages/http/src/assembly/dynamic.ts',
    text: "import { Container } from 'inversify'\n\nnew Container().bind('x').toDynamicValue(() => 1)\n",
    finding: 'No service location',
  },
  {
    rule: 'a default export in a host',
    tool: 'biome',
    file: 'packages/http/src/exported.ts',
    text: 'export default 1\n',
    finding: 'noDefaultExport',
  },
  {
    rule: 'a file name in camel case',
    tool: 'biome',
    file: 'packages/http/src/camelCase.ts',
    text: 'export const x = 1\n',
    finding: 'useFilenamingConvention',
  },
  {
    rule: 'unformatted code',
    tool: 'biome',
    file: 'packages/http/src/unformatted.ts',
    text: 'export const x = "1";\n',
    finding: 'title=format',
  },
  {
    rule: 'a floating promise',
    tool: 'oxlint',
    file: 'packages/http/src/floating.ts',
    text: 'export async function work(): Promise<void> {}\nwork()\n',
    finding: 'no-floating-promises',
  },
  {
    rule: 'a switch that forgets a case',
    tool: 'oxlint',
    file: `${core}/config/switch.ts`,
    text: "export function size(kind: 'a' | 'b'): number {\n  switch (kind) {\n    case 'a':\n      return 1\n  }\n  return 0\n}\n",
    finding: 'switch-exhaustiveness-check',
  },
  {
    rule: 'a function over 70 lines',
    tool: 'oxlint',
    file: 'packages/http/src/long-function.ts',
    text: `export function long(): number {\n  let n = 0\n${lines(70, (i) => `  n += ${i}`)}\n  return n\n}\n`,
    finding: 'max-lines-per-function',
  },
  {
    rule: 'a file over 400 lines',
    tool: 'oxlint',
    file: 'packages/http/src/long-file.ts',
    text: lines(401, (i) => `export const v${i} = ${i}`),
    finding: 'max-lines)',
  },
  ...patterns,
  {
    rule: 'a dead file',
    tool: 'knip',
    file: 'packages/http/src/dead.ts',
    text: 'export const x = 1\n',
    finding: '',
  },
  {
    rule: 'a dead export',
    tool: 'knip',
    file: 'packages/adapters-sql/src/used.ts',
    text: 'export const used = 1\nexport const unusedDetail = 2\n',
    finding: 'unusedDetail',
  },
]

const imports = (rule: string, file: string, specifier: string, finding: string): Planted => ({
  rule,
  tool: 'layers',
  file,
  text: `import '${specifier}'\n`,
  finding,
})

const layers: readonly Planted[] = [
  imports('core imports Node', `${core}/config/l-node.ts`, 'node:fs', 'core-imports-itself-only'),
  imports('core imports a framework', `${core}/config/l-hono.ts`, 'hono', 'core-imports-itself-only'),
  imports('core imports a test tool', `${core}/config/l-vitest.ts`, 'vitest', 'core-imports-itself-only'),
  imports('core imports an adapter', `${core}/config/l-sql.ts`, '../../../adapters-sql/src/index.ts', 'core-imports-itself-only'),
  imports("core's tests import Node", `${core}/config/l.test.ts`, 'node:fs', 'core-testing-imports-core-and-test-tools'),
  imports('core imports its fakes', `${core}/config/l-fake.ts`, '../kernel/testing/fake-clock.ts', 'core-never-imports-testing'),
  imports('a context enters another', `${core}/events/l-scope.ts`, '../config/scope.ts', 'context-has-one-door'),
  imports('the root enters a context', `${core}/l-root.ts`, './config/scope.ts', 'context-has-one-door-from-the-root'),
  imports('a test enters another context', `${core}/events/l.test.ts`, '../config/scope.ts', 'context-has-one-door-for-tests'),
  imports('the kernel knows a context', `${core}/kernel/l-context.ts`, '../config/index.ts', 'kernel-knows-no-context'),
  imports('an adapter imports another', 'packages/adapters-sql/src/l-redis.ts', '@cbp/adapters-redis', 'adapters-sql-imports'),
  imports("an adapter imports another's driver", 'packages/adapters-redis/src/l-mssql.ts', 'mssql', 'adapters-redis-imports'),
  imports('an adapter imports a host', 'packages/adapters-amqp/src/l-http.ts', '@cbp/http', 'adapters-amqp-imports'),
  imports('an adapter ships a fake', 'packages/adapters-sql/src/l-fake.ts', '@cbp/core/testing', 'no-fakes-in-what-ships'),
  imports('a package is entered past its door', 'packages/cli/src/l-deep.ts', '../../http/src/server.ts', 'package-has-doors'),
  imports('a host picks an adapter itself', 'packages/http/src/l-sql.ts', '@cbp/adapters-sql', 'adapters-only-in-the-assembly'),
  imports('a host uses Inversify', 'packages/http/src/l-inversify.ts', 'inversify', 'inversify-only-in-the-assembly'),
  imports('the command line uses Inversify', 'packages/cli/src/l-inversify.ts', 'inversify', 'inversify-only-in-the-assembly'),
  imports('the command line uses Hono', 'packages/cli/src/l-hono.ts', 'hono', 'hono-only-in-http'),
  imports('a host imports the command line', 'packages/http/src/l-cli.ts', '../../cli/src/main.ts', 'nothing-imports-the-command-line'),
  imports('an import leads nowhere', 'packages/http/src/l-nowhere.ts', './nowhere.ts', 'not-unresolvable'),
  imports('a cycle', 'packages/http/src/l-cycle.ts', './l-cycle-back.ts', 'no-circular'),
  imports('the way back', 'packages/http/src/l-cycle-back.ts', './l-cycle.ts', 'no-circular'),
  imports('a utils folder', 'packages/http/src/utils/l-drawer.ts', '../server.ts', 'no-drawer-folders'),
  imports('a file of a helpers folder', 'packages/http/src/l-drawer.ts', './helpers/l-drawer.ts', 'no-drawer-folders'),
  {
    rule: 'a lone file',
    tool: 'layers',
    file: 'packages/http/src/l-lone.ts',
    text: 'export const x = 1\n',
    finding: 'no-orphans',
  },
]

export const planted: readonly Planted[] = [...purity, ...platform, ...types, ...everywhere, ...layers]

/** What some violations need beside them. */
export const supports: Readonly<Record<string, string>> = {
  'packages/http/src/helpers/l-drawer.ts': 'export const x = 1\n',
  'packages/adapters-sql/src/index.ts': "export { used } from './used.ts'\n",
}
