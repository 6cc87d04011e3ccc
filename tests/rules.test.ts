import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runTool, type ToolRun } from '../scripts/lib/run-tool.ts'
import { planted, supports, type Tool } from './lib/planted.ts'
import { type SampleTree, sampleTree } from './lib/sample-tree.ts'

const tools: Readonly<Record<Tool, readonly [command: string, ...args: string[]]>> = {
  biome: ['biome', 'check', '--error-on-warnings', '--max-diagnostics=none', '--reporter=github'],
  oxlint: ['oxlint', '--deny-warnings', '--format=unix'],
  layers: ['node', 'scripts/check-layers.ts'],
  patterns: ['node', 'scripts/check-patterns.ts'],
  types: ['tsc', '--build', 'packages/core/tsconfig.build.json', '--pretty', 'false'],
  knip: ['knip', '--no-progress', '--no-config-hints', '--include', 'files,exports'],
}

const trees: SampleTree[] = []
function tree(sources?: Readonly<Record<string, string>>): SampleTree {
  const made = sampleTree(sources)
  trees.push(made)
  return made
}

function check(tool: Tool, at: SampleTree): Promise<ToolRun> {
  const [command, ...args] = tools[tool]
  return runTool(command, args, { cwd: at.path })
}

/** One tool after another: each of them fills both cores by itself. */
async function checkAll(at: SampleTree): Promise<Readonly<Record<Tool, ToolRun>>> {
  const runs: Partial<Record<Tool, ToolRun>> = {}
  for (const tool of Object.keys(tools) as Tool[]) runs[tool] = await check(tool, at)
  return runs as Record<Tool, ToolRun>
}

const clean = tree()
const dirty = tree({ ...supports, ...Object.fromEntries(planted.map(({ file, text }) => [file, text])) })
const cleanRuns = await checkAll(clean)
const dirtyRuns = await checkAll(dirty)

afterAll(() => {
  for (const { remove } of trees) remove()
})

describe('a clean tree', () => {
  it.each(Object.keys(tools) as Tool[])('passes %s', (tool) => {
    expect(cleanRuns[tool].exitCode, cleanRuns[tool].output).toBe(0)
  })
})

describe('a planted violation', () => {
  it.each(planted)('is rejected by $tool: $rule', ({ tool, file, finding }) => {
    const { exitCode, output } = dirtyRuns[tool]
    expect(exitCode).not.toBe(0)
    expect(output.split('\n').filter((line) => line.includes(file) && line.includes(finding))).not.toEqual([])
  })
})

describe('the layer check', () => {
  it('does not pass on modules that it could not see', async () => {
    const blind = tree()
    const config = "import config from './seeing.mjs'\nexport default { ...config, options: { ...config.options, exclude: '\\\\.ts$' } }\n"
    const seeing = await runTool('cp', ['.dependency-cruiser.mjs', 'seeing.mjs'], { cwd: blind.path })
    writeFileSync(join(blind.path, '.dependency-cruiser.mjs'), config)
    const { exitCode, output } = await check('layers', blind)
    expect([seeing.exitCode, exitCode]).toEqual([0, 1])
    expect(output).toContain('packages/core/src/index.ts was not cruised')
  })
})
