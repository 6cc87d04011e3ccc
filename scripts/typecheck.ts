import { runOrExit } from './lib/run-tool.ts'

await runOrExit('tsc', ['--build', ...process.argv.slice(2)])
