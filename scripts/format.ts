import { runOrExit } from './lib/run-tool.ts'

await runOrExit('biome', ['check', '--write', ...process.argv.slice(2)])
