/** Builds every package and holds what would be published against its consumers' view: types, entry points, a plain Node. */
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { doorFaults } from './lib/door-faults.ts'
import type { Fault, Manifest, Package } from './lib/package.ts'
import { root, runOrExit, runTool } from './lib/run-tool.ts'

const { config } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { config: { pnpm: string } }

async function pack(folder: string, destination: string): Promise<Package> {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const tarball = join(destination, `${manifest.name.replace('@', '').replace('/', '-')}.tgz`)
  const { exitCode, output } = await runTool('npx', ['-y', `pnpm@${config.pnpm}`, 'pack', '--out', tarball], {
    cwd: folder,
  })
  if (exitCode !== 0) throw new Error(`pnpm pack failed in ${folder}:\n${output}`)
  return { folder, manifest, tarball }
}

async function faultsOf(built: Package): Promise<readonly Fault[]> {
  const { manifest, tarball } = built
  const checks: readonly (readonly [check: string, run: ReturnType<typeof runTool>])[] = [
    ['publint', runTool('publint', ['run', tarball, '--strict'])],
    ...(manifest.exports === undefined
      ? []
      : [['types (attw)', runTool('attw', [tarball, '--profile', 'esm-only', '--no-color'])] as const]),
  ]
  const runs = await Promise.all(checks.map(async ([check, run]) => ({ name: manifest.name, check, ...(await run) })))
  const strays = globSync(join(built.folder, 'dist/**/*.test.*'))
  const stray = { name: manifest.name, check: 'no tests in dist', output: strays.join('\n') }
  return [...runs.filter(({ exitCode }) => exitCode !== 0), ...(strays.length > 0 ? [stray] : [])]
}

const folders = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name))
for (const folder of folders) rmSync(join(folder, 'dist'), { recursive: true, force: true })
await runOrExit('tsc', ['--build', ...globSync(join(root, 'packages/*/tsconfig.{build,testing}.json'))])

const destination = mkdtempSync(join(tmpdir(), 'cbp-pack-'))
let faults = 0
try {
  const packages: Package[] = []
  for (const folder of folders) packages.push(await pack(folder, destination))
  const doors = doorFaults(packages, mkdtempSync(join(destination, 'consumer-')))
  for (const built of packages) {
    const found = [...(await faultsOf(built)), ...(await doors).filter(({ name }) => name === built.manifest.name)]
    faults += found.length
    for (const { name, check, output } of found) process.stderr.write(`\n== ${name}: ${check}\n${output}\n`)
    process.stdout.write(`${found.length === 0 ? 'ok    ' : 'FAILED'} ${built.manifest.name}\n`)
  }
} finally {
  rmSync(destination, { recursive: true, force: true })
}
if (faults > 0) process.exitCode = 1
