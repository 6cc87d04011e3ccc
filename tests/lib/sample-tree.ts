import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../../scripts/lib/run-tool.ts'

const copied = [
  '.dependency-cruiser.mjs',
  '.gitignore',
  '.oxlintrc.json',
  'biome.json',
  'knip.jsonc',
  'package.json',
  'pnpm-workspace.yaml',
  'scripts/check-layers.ts',
  'scripts/check-patterns.ts',
  'scripts/rules',
  'tsconfig.base.json',
]

/** A workspace of the same shape and under the same rules as this one, small enough to know that it is clean. */
const cleanSources: Readonly<Record<string, string>> = {
  'packages/core/src/index.ts': "export { parseScope } from './config/index.ts'\nexport { eventOf } from './events/index.ts'\n",
  'packages/core/src/testing.ts': "export { fakeClock } from './kernel/testing/fake-clock.ts'\n",
  'packages/core/src/kernel/clock.ts': 'export type Clock = Readonly<{ now: () => number }>\n',
  'packages/core/src/kernel/testing/fake-clock.ts':
    "import type { Clock } from '../clock.ts'\n\nexport function fakeClock(): Clock {\n  return { now: () => 0 }\n}\n",
  'packages/core/src/config/index.ts': "export { parseScope } from './scope.ts'\n",
  'packages/core/src/config/scope.ts':
    "import { ok, type Result } from 'neverthrow'\n\nexport function parseScope(text: string): Result<string, never> {\n  return ok(text)\n}\n",
  'packages/core/src/events/index.ts': "export { eventOf } from './event.ts'\n",
  'packages/core/src/events/event.ts':
    "import { parseScope } from '../config/index.ts'\nimport type { Clock } from '../kernel/clock.ts'\n\nexport function eventOf(clock: Clock): string {\n  return parseScope(String(clock.now())).isOk() ? 'ok' : 'no'\n}\n",
  'packages/adapters-sql/src/index.ts': "export { parseScope as sqlScope } from '@cbp/core'\n",
  'packages/adapters-redis/src/index.ts': "export { parseScope as cachedScope } from '@cbp/core'\n",
  'packages/adapters-amqp/src/index.ts': "export { parseScope as queuedScope } from '@cbp/core'\n",
  'packages/http/src/index.ts': "export { serve } from './server.ts'\n",
  'packages/http/src/server.ts': "import { Hono } from 'hono'\n\nexport function serve(): Hono {\n  return new Hono()\n}\n",
  'packages/http/src/assembly/index.ts':
    "import { sqlScope } from '@cbp/adapters-sql'\nimport { Container } from 'inversify'\n\nexport function assemble(): Container {\n  const container = new Container()\n  container.bind('scope').toConstantValue(sqlScope('/'))\n  return container\n}\n",
  'packages/cli/src/main.ts': "import { assemble } from '@cbp/http/assembly'\n\nassemble().get('scope')\n",
}

function linkModules(tree: string, folder: string): void {
  const from = join(root, folder, 'node_modules')
  const to = join(tree, folder, 'node_modules')
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from).filter((entry) => !entry.startsWith('.') && entry !== '@cbp')) {
    symlinkSync(realpathSync(join(from, name)), join(to, name))
  }
}

/** The tree's packages see each other, not those of this checkout. */
function linkPackages(tree: string, folder: string, packages: readonly string[]): void {
  mkdirSync(join(tree, folder, 'node_modules', '@cbp'))
  for (const name of packages) symlinkSync(join(tree, 'packages', name), join(tree, folder, 'node_modules', '@cbp', name))
}

export type SampleTree = Readonly<{ path: string; remove: () => void }>

/** Builds the sample workspace in a temporary folder, outside the checkout: nothing planted there can be left behind here. */
export function sampleTree(planted: Readonly<Record<string, string>> = {}): SampleTree {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'cbp-rules-')))
  const packages = readdirSync(join(root, 'packages'))
  for (const file of copied) cpSync(join(root, file), join(path, file), { recursive: true })
  linkModules(path, '.')
  for (const name of packages) {
    const folder = join('packages', name)
    for (const file of readdirSync(join(root, folder)).filter((entry) => entry.endsWith('.json'))) {
      cpSync(join(root, folder, file), join(path, folder, file))
    }
    linkModules(path, folder)
    linkPackages(path, folder, packages)
  }
  for (const [file, text] of Object.entries({ ...cleanSources, ...planted })) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    writeFileSync(join(path, file), text)
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
