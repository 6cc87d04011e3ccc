import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault, Package } from './package.ts'
import { runTool, type ToolRun } from './run-tool.ts'

type Door = Readonly<{ name: string; door: string; load: readonly [command: string, ...args: string[]] }>

/**
 * Installs what would be published outside the workspace with plain npm, and opens every door there: first without any
 * optional peer, then the doors for tests with all of them.
 */
export async function doorFaults(packages: readonly Package[], consumer: string): Promise<readonly Fault[]> {
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  const doors = packages.flatMap(doorsOf)
  const plain = doors.filter(({ door }) => !needsPeers(door))
  const withPeers = doors.filter(({ door }) => needsPeers(door))
  const tarballs = packages.map(({ tarball }) => tarball)
  const peers = packages.flatMap(({ manifest }) =>
    Object.entries(manifest.peerDependencies ?? {}).map(([name, range]) => `${name}@${range}`),
  )
  const without = await openAll(consumer, tarballs, plain, packages)
  return [...without, ...(await openAll(consumer, peers, withPeers, packages))]
}

function doorsOf({ manifest: { name, exports = {}, bin = {} } }: Package): readonly Door[] {
  return [
    ...Object.keys(exports).map((path): Door => {
      const door = name + path.slice(1)
      return { name, door, load: ['node', '--input-type=module', '--eval', `await import('${door}')`] }
    }),
    ...Object.keys(bin).map((door): Door => ({ name, door, load: ['node', join('node_modules', '.bin', door), '--version'] })),
  ]
}

function needsPeers(door: string): boolean {
  return door.endsWith('/testing')
}

async function openAll(
  consumer: string,
  install: readonly string[],
  doors: readonly Door[],
  packages: readonly Package[],
): Promise<readonly Fault[]> {
  const installed = await runTool('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...install], { cwd: consumer })
  if (installed.exitCode !== 0) {
    return packages.map(({ manifest: { name } }) => ({ name, check: 'installs with npm', output: installed.output }))
  }
  const faults: Fault[] = []
  for (const { name, door, load } of doors) {
    const [command, ...args] = load
    const { exitCode, output }: ToolRun = await runTool(command, args, { cwd: consumer })
    if (exitCode !== 0) faults.push({ name, check: `the door ${door} opens outside the workspace`, output })
  }
  return faults
}
