/** Holds every regular expression against recheck: none may take more than linear time of a text that somebody else chose. */
import { globSync, readFileSync } from 'node:fs'
import { parseSync, Visitor } from 'oxc-parser'
import { checkSync } from 'recheck'

type Pattern = Readonly<{ file: string; line: number; source: string; flags: string }>

/** Texts in what ships may come from anybody; tests and scripts write their own. */
const files = globSync('packages/*/src/**/*.ts', {
  exclude: (path) => /(^|\/)(node_modules|dist|testing|tests)(\/|$)|\.test\.ts$/.test(path),
})

const ownFiles = 'reads files of the operator, of a few KiB'
const ownSettings = 'reads a setting of the process'
const ownText = 'reads a text of this service'
const seenLinear = 'its parts are bounded, and a MiB of the worst texts found took 40 ms'

/** Those that cannot be decided, or take quadratic time of what no stranger writes, each with why that does no harm. */
const harmless: ReadonlyMap<string, string> = new Map([
  ['^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: *4, *ENCRYPTED', ownFiles],
  ['-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----', ownFiles],
  [String.raw`\/+$`, ownSettings],
  [String.raw`^# TYPE (\S+)_total counter$`, ownText],
  ['cbp_[a-z]{1,16}_([0-9A-Za-z_-]{16,})', seenLinear],
  [String.raw`(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key)"? {0,2}(?:=|":) {0,2}"?([^\s"'&;,)}\]]+)`, seenLinear],
])

const timeout = 8_000
// Its faster forms are programs for one system each, and weigh a hundred times as much.
process.env['RECHECK_BACKEND'] = 'pure'

function patternsOf(file: string): readonly Pattern[] {
  const text = readFileSync(file, 'utf8')
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message ?? 'it does not parse'}`)
  const found: Pattern[] = []
  const add = (source: string, flags: string, start: number): void => {
    found.push({ file, line: text.slice(0, start).split('\n').length, source, flags })
  }
  new Visitor({
    Literal: (node) => {
      if ('regex' in node) add(node.regex.pattern, node.regex.flags, node.start)
    },
    NewExpression: ({ callee, arguments: [source], start }) => {
      if (callee.type !== 'Identifier' || callee.name !== 'RegExp') return
      if (source?.type === 'Literal' && typeof source.value === 'string') add(source.value, '', start)
    },
  }).visit(program)
  return found
}

/** By proof where that ends in time, else by attack. */
function faultOf({ source, flags }: Pattern): string | null {
  const proof = checkSync(source, flags, { checker: 'automaton', timeout })
  const found = proof.status === 'unknown' ? checkSync(source, flags, { checker: 'fuzz', timeout }) : proof
  if (found.status === 'safe') return null
  if (found.status === 'vulnerable') return found.complexity.summary
  // How much time there is depends on the machine, and a verdict must not.
  process.stderr.write(`/${source}/ could not be decided in time\n`)
  return null
}

const patterns = files.flatMap(patternsOf)
let faults = 0
for (const pattern of patterns) {
  const fault = harmless.has(pattern.source) ? null : faultOf(pattern)
  if (fault === null) continue
  faults += 1
  process.stderr.write(`${pattern.file}:${pattern.line}: /${pattern.source}/${pattern.flags} is ${fault}\n`)
}
process.stderr.write(`${patterns.length} patterns, ${faults} faults\n`)
if (faults > 0) process.exitCode = 1
