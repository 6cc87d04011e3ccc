/** Runs all tests, tells which engines they ran against, and ends with the figures. Arguments go to vitest. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { engines } from './engines.ts'
import { root, runTool } from './lib/run-tool.ts'

type Report = Readonly<{
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: readonly Readonly<{ status: string; assertionResults: readonly unknown[] }>[]
}>

type Figures = Readonly<{ passed: number; failed: number; skipped: number }>

const reportFile = join(root, 'node_modules', '.cache', 'test-report.json')

/** A file that fails before its first test has no failed test to count, so the file itself is counted. */
function figuresOf(report: Report): Figures {
  const brokenFiles = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

function readFigures(): Figures {
  try {
    return figuresOf(JSON.parse(readFileSync(reportFile, 'utf8')) as Report)
  } catch {
    process.stderr.write('vitest left no report.\n')
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function engineTable(): string {
  const rows = engines.map(({ capability, name, missing }) => [capability, name, missing() ?? 'tested'] as const)
  return rows.map(([capability, name, state]) => `  ${capability.padEnd(8)}${name.padEnd(20)}${state}\n`).join('')
}

mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true })
rmSync(reportFile, { force: true })

const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
const { exitCode } = await runTool('vitest', ['run', ...reporters, ...process.argv.slice(2)], { passThrough: true })
const figures = readFigures()
// vitest also fails on what belongs to no test, such as an unhandled rejection.
const failed = exitCode !== 0 && figures.failed === 0 ? 1 : figures.failed

process.stdout.write(`\nEngines:\n${engineTable()}\n`)
process.stdout.write(`${figures.passed} passed, ${failed} failed${figures.skipped > 0 ? `, ${figures.skipped} skipped` : ''}\n`)
if (failed > 0) process.exitCode = 1
