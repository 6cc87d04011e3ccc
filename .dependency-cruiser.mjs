const core = '^packages/core/src/'
const coreTesting = ['^packages/core/src/testing\\.ts$', '^packages/core/src/testing/', '^packages/core/src/.+/testing/']
const test = '\\.test\\.ts$'
const testing = [...coreTesting, test, '^packages/[^/]+/tests/', '^tests/']
const assembly = ['^packages/http/src/assembly/', '^packages/(http|cli)/src/container\\.ts$']

/** Also matches a package that is imported without being installed there. */
const npm = (...names) => `(^|node_modules/)(${names.flatMap((name) => [name, `@types/${name}`]).join('|')})(/|$)`
const ownFolder = (name) => `^packages/${name}/`

function adapter(name, ...drivers) {
  return {
    name: `${name}-imports-core-and-its-drivers`,
    comment: 'An adapter knows the core and its own engines: no other adapter, no host, no framework.',
    severity: 'error',
    from: { path: `${ownFolder(name)}src/`, pathNot: testing },
    to: {
      pathNot: [ownFolder(name), '^packages/core/src/index\\.ts$', npm('neverthrow', ...drivers)],
      dependencyTypesNot: ['core'],
    },
  }
}

const coreRules = [
  {
    name: 'core-imports-itself-only',
    comment: 'Core knows no platform, no framework and no adapter.',
    severity: 'error',
    from: { path: core, pathNot: [...coreTesting, test] },
    to: { pathNot: [core, npm('neverthrow', 'zod', 'ajv')] },
  },
  {
    name: 'core-testing-imports-core-and-test-tools',
    comment: 'What core offers to tests runs wherever vitest runs.',
    severity: 'error',
    from: { path: [...coreTesting, `${core}.+${test}`] },
    to: { pathNot: [core, npm('neverthrow', 'zod', 'ajv', 'fast-check', 'vitest')] },
  },
  {
    name: 'core-never-imports-testing',
    comment: 'Fakes and contracts stay out of what ships.',
    severity: 'error',
    from: { path: core, pathNot: [...coreTesting, test] },
    to: { path: coreTesting },
  },
  {
    name: 'context-has-one-door',
    comment: 'A context is entered through its index.ts; the kernel is common ground.',
    severity: 'error',
    from: { path: `${core}([^/]+)/`, pathNot: [...coreTesting, test] },
    to: { path: `${core}[^/]+/`, pathNot: [`${core}$1/`, `${core}kernel/`, `${core}[^/]+/index\\.ts$`] },
  },
  {
    name: 'context-has-one-door-from-the-root',
    severity: 'error',
    from: { path: `${core}[^/]+\\.ts$`, pathNot: [...coreTesting, test] },
    to: { path: `${core}[^/]+/`, pathNot: [`${core}kernel/`, `${core}[^/]+/index\\.ts$`] },
  },
  {
    name: 'context-has-one-door-for-tests',
    comment: "Tests may also use other contexts' fakes.",
    severity: 'error',
    from: { path: `${core}([^/]+)/(testing/|.*${test})` },
    to: {
      path: `${core}[^/]+/`,
      pathNot: [`${core}$1/`, `${core}kernel/`, `${core}[^/]+/index\\.ts$`, ...coreTesting],
    },
  },
  {
    name: 'kernel-knows-no-context',
    severity: 'error',
    from: { path: `${core}kernel/`, pathNot: [`${core}kernel/testing/`, test] },
    to: { path: core, pathNot: [`${core}kernel/`] },
  },
]

const hostRules = [
  adapter('adapters-sql', 'mssql', 'tedious'),
  adapter('adapters-redis', 'ioredis', 'lru-cache'),
  adapter('adapters-amqp', 'amqplib'),
  {
    name: 'package-has-doors',
    comment: 'Another package is entered through what it exports, also by tests and benchmarks.',
    severity: 'error',
    from: { path: '^(packages/[^/]+|bench|tests|scripts)/' },
    to: {
      path: '^packages/[^/]+/',
      pathNot: [
        '^$1/',
        '^packages/[^/]+/src/index\\.ts$',
        '^packages/core/src/testing(/simulation/index)?\\.ts$',
        '^packages/http/src/(assembly/(platform/)?index|clients/index|bodies)\\.ts$',
        // The engines that tests start belong to the adapters that speak to them.
        '^packages/adapters-(amqp/tests/rabbitmq|redis/tests/redis|sql/tests/mssql/test-database)\\.ts$',
      ],
    },
  },
  {
    name: 'no-fakes-in-what-ships',
    comment: 'The command line alone may: it runs the simulation.',
    severity: 'error',
    from: { path: '^packages/(adapters-[^/]+|http)/src/', pathNot: [test] },
    to: { path: '^packages/core/src/testing\\.ts$' },
  },
  {
    name: 'adapters-only-in-the-assembly',
    comment: 'Hosts speak to ports; which adapter answers is decided in one place.',
    severity: 'error',
    from: { path: '^packages/(http|cli)/src/', pathNot: [...assembly, test] },
    to: { path: '^packages/adapters-' },
  },
  {
    name: 'inversify-only-in-the-assembly',
    severity: 'error',
    from: { path: '^(packages|bench)/', pathNot: assembly },
    to: { path: npm('inversify', '@inversifyjs/[^/]+', 'reflect-metadata') },
  },
  {
    name: 'hono-only-in-http',
    severity: 'error',
    from: { pathNot: ['^packages/http/', 'node_modules'] },
    to: { path: npm('hono', '@hono/[^/]+') },
  },
  {
    name: 'nothing-imports-the-command-line',
    severity: 'error',
    from: { pathNot: ['^packages/cli/'] },
    to: { path: '^packages/cli/' },
  },
]

const generalRules = [
  {
    name: 'no-circular',
    comment: 'Types may name each other across files; code may not need itself.',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'no-orphans',
    severity: 'error',
    from: {
      orphan: true,
      pathNot: [
        '^packages/[^/]+/src/(index|main|testing|testing/simulation/index|bodies|clients/index|assembly/index|assembly/platform/index)\\.ts$',
        test,
        '\\.d\\.ts$',
        '^scripts/',
        '^bench/',
        '^[^/]+\\.config\\.ts$',
      ],
    },
    to: {},
  },
  {
    name: 'not-unresolvable',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-drawer-folders',
    comment: 'A folder is named after what is in it, not utils or helpers.',
    severity: 'error',
    from: {},
    to: { path: '(^|/)(utils?|helpers?)/', pathNot: 'node_modules' },
  },
  {
    name: 'no-drawer-folders-of-entries',
    severity: 'error',
    from: { path: '(^|/)(utils?|helpers?)/' },
    to: {},
  },
]

export default {
  forbidden: [...coreRules, ...hostRules, ...generalRules],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^packages/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    moduleSystems: ['es6'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@cbp/source', 'types', 'import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
}
