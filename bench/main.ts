/** Each benchmark is a module of this folder; `npm run bench -- <name>` runs one, without a name it lists them. */
const benchmarks: Readonly<Record<string, () => Promise<void>>> = {}

const [name] = process.argv.slice(2)
const benchmark = name === undefined ? undefined : benchmarks[name]
if (benchmark === undefined) {
  process.stderr.write(`usage: npm run bench -- <name>; benchmarks: ${Object.keys(benchmarks).join(', ') || 'none yet'}\n`)
  process.exitCode = name === undefined ? 0 : 2
} else {
  await benchmark()
}
