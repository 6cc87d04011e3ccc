/** Runs every checker and shows the output of those that object. */
import { runTool } from './lib/run-tool.ts'

const checks: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['style and purity (biome)', 'biome', ['check', '--error-on-warnings', '--max-diagnostics=200']],
  ['promises, exhaustiveness, size (oxlint)', 'oxlint', ['--deny-warnings']],
  ['layers (dependency-cruiser)', 'node', ['scripts/check-layers.ts']],
  ['patterns (recheck)', 'node', ['scripts/check-patterns.ts']],
  ['dead code (knip)', 'knip', ['--no-progress', '--no-config-hints']],
]

const runs = await Promise.all(checks.map(async ([name, command, args]) => ({ name, ...(await runTool(command, args)) })))
for (const { name, exitCode, output } of runs) {
  if (exitCode !== 0) process.stderr.write(`\n== ${name}\n${output}`)
}
for (const { name, exitCode } of runs) process.stdout.write(`${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name}\n`)
if (runs.some(({ exitCode }) => exitCode !== 0)) process.exitCode = 1
