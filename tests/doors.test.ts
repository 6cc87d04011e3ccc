import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { doorFaults } from '../scripts/lib/door-faults.ts'
import type { Fault } from '../scripts/lib/package.ts'
import { runTool } from '../scripts/lib/run-tool.ts'

const folder = mkdtempSync(join(tmpdir(), 'cbp-doors-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const manifest = {
  name: '@sample/doors',
  version: '1.0.0',
  type: 'module',
  exports: { '.': './good.js', './undeclared': './bad.js', './testing': './bad.js', './absent': './absent.js' },
  bin: { 'sample-good': './good.js', 'sample-bad': './bad.js' },
} as const

const files = {
  'package.json': JSON.stringify(manifest),
  'good.js': '#!/usr/bin/env node\nexport const good = true\n',
  // Found from within this workspace, as a peer is that nobody declared.
  'bad.js': "#!/usr/bin/env node\nimport 'vitest'\n",
}

let faults: readonly Fault[] = []
beforeAll(async () => {
  const source = join(folder, 'source')
  const consumer = join(folder, 'consumer')
  for (const path of [source, consumer]) mkdirSync(path)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(source, name), text)
  const packed = await runTool('npm', ['pack', '--pack-destination', folder], { cwd: source })
  expect(packed.exitCode, packed.output).toBe(0)
  faults = await doorFaults([{ folder: source, manifest, tarball: join(folder, 'sample-doors-1.0.0.tgz') }], consumer)
}, 60_000)

it('names every door that does not open for those who install the package', () => {
  const named = faults.map(({ check }) => /the door (\S+) /.exec(check)?.[1])
  expect(named).toEqual(['@sample/doors/undeclared', '@sample/doors/absent', 'sample-bad', '@sample/doors/testing'])
})

it('shows what was missing', () => {
  expect(faults[0]?.output).toContain("Cannot find package 'vitest'")
})
