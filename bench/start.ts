import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { progress, type Report } from './lib/report.ts'
import { median, percentile } from './lib/statistics.ts'
import { repository, temporaryDirectory } from './lib/workspace.ts'

const runs = Number(process.env['BENCH_ROUNDS'] ?? 15)
const compileCache = join(repository, 'node_modules/.cache/node-compile')
const source = join(repository, 'packages/cli/src/main.ts')
const built = join(repository, 'packages/cli/dist/main.js')

type Start = Readonly<{
  name: string
  command: string
  args: readonly string[]
  environment: Readonly<Record<string, string>>
  until: RegExp | null
}>

/** From the start of the process to its ready line, or to its end; each repeated in turns, after one run that warms up. */
export async function start(): Promise<Report> {
  using directory = temporaryDirectory()
  const starts = startsIn(directory.path)
  const samples = new Map<string, number[]>(starts.map(({ name }) => [name, []]))
  for (let round = 0; round <= runs; round += 1) {
    for (const each of starts) {
      const ms = await timeStart(each)
      if (round > 0) samples.get(each.name)?.push(ms)
    }
    progress(`  round ${round}`)
  }
  const p50 = (name: string): number => median(samples.get(name) ?? [])
  return {
    setup: { runs, state: 'warm: installed, file cache and compile cache filled, data directory made' },
    table: [...samples].map(([what, all]) => ({
      what,
      'p50 ms': median(all),
      'p90 ms': percentile(all, 0.9),
      'min ms': Math.min(...all),
      'max ms': Math.max(...all),
    })),
    aims: [
      { what: 'npm start to the ready line, p50', figure: p50('npm start') / 1000, unit: 's', aim: 1, better: 'lower' },
      ...['cbp --help from source', 'cbp --help from source, compile cache', 'cbp --help built']
        .filter((name) => samples.has(name))
        .map((name) => ({ what: `${name}, p50`, figure: p50(name) / 1000, unit: 's', aim: 0.15, better: 'lower' as const })),
    ],
    samples: Object.fromEntries(samples),
  }
}

function startsIn(directory: string): readonly Start[] {
  const node = process.execPath
  const plain = { NODE_COMPILE_CACHE: '', CBP_DATA_DIR: directory, CBP_PORT: '0' }
  const cached = { ...plain, NODE_COMPILE_CACHE: compileCache }
  const ready = /listening on http/
  const all: readonly Start[] = [
    { name: 'npm start', command: 'npm', args: ['start'], environment: { CBP_DATA_DIR: directory, CBP_PORT: '0' }, until: ready },
    {
      name: 'host from source, compile cache',
      command: node,
      args: ['--conditions=@cbp/source', 'packages/http/src/main.ts'],
      environment: cached,
      until: ready,
    },
    {
      name: 'cbp --help from source',
      command: node,
      args: ['--conditions=@cbp/source', source, '--help'],
      environment: plain,
      until: null,
    },
    {
      name: 'cbp --help from source, compile cache',
      command: node,
      args: ['--conditions=@cbp/source', source, '--help'],
      environment: cached,
      until: null,
    },
    { name: 'cbp --help built', command: node, args: [built, '--help'], environment: plain, until: null },
    { name: 'npm run -s cbp -- --help', command: 'npm', args: ['run', '-s', 'cbp', '--', '--help'], environment: {}, until: null },
    { name: 'node alone', command: node, args: ['-e', '0'], environment: plain, until: null },
    { name: 'npm alone (npm --version)', command: 'npm', args: ['--version'], environment: {}, until: null },
  ]
  return all.filter(({ args }) => args[0] !== built || existsSync(built))
}

function timeStart({ command, args, environment, until }: Start): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const env = Object.fromEntries(Object.entries({ ...process.env, ...environment }).filter(([, value]) => value !== ''))
    const child = spawn(command, args, { cwd: repository, env, stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    let ms: number | null = null
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
      if (ms !== null || until === null || !until.test(output)) return
      ms = performance.now() - startedAt
      endGroup(child)
    })
    child.once('error', reject)
    child.once('close', () => {
      if (until !== null && ms === null) reject(new Error(`${command} ${args.join(' ')} was never ready: ${output}`))
      else resolve(ms ?? performance.now() - startedAt)
    })
  })
}

/** npm, the launcher and the service are one process group of their own. */
function endGroup(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
}
