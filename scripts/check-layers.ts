/** Holds the imports of every module against .dependency-cruiser.mjs, and refuses to pass on modules it did not see. */
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'

const folders = ['packages', 'bench', 'scripts', 'tests'].filter((folder) => existsSync(folder))
const sources = globSync(
  folders.map((folder) => `${folder}/**/*.{ts,mjs}`),
  { exclude: (path) => /(^|\/)(node_modules|dist)(\/|$)/.test(path) },
)

const options = await extractOptions(join(process.cwd(), '.dependency-cruiser.mjs'))
const { output } = await cruise(folders, options)
const { modules, summary } = output as ICruiseResult

const seen = new Set(modules.map((module) => module.source))
const unseen = sources.filter((source) => !seen.has(source))
for (const source of unseen) process.stderr.write(`error unseen: ${source} was not cruised\n`)

for (const { rule, from, to, cycle } of summary.violations) {
  const path = cycle === undefined ? to : cycle.map((step) => step.name).join(' -> ')
  process.stderr.write(`${rule.severity} ${rule.name}: ${from}${path === from ? '' : ` -> ${path}`}\n`)
}
process.stderr.write(`${sources.length} modules, ${summary.totalDependenciesCruised} dependencies, ${summary.error} violations\n`)

if (summary.error > 0 || unseen.length > 0) process.exitCode = 1
