import { topFunctions } from './lib/profile.ts'
import { machine, publish, type Report } from './lib/report.ts'

type Benchmark = Readonly<{ tells: string; load: () => Promise<() => Promise<Report>> }>

/** Each is a module of this folder. */
const benchmarks: Readonly<Record<string, Benchmark>> = {
  read: { tells: 'authenticated reads over HTTP against node:http and Fastify', load: async () => (await import('./read.ts')).read },
  write: {
    tells: 'conditional writes, over HTTP and at the store, against one commit per write',
    load: async () => (await import('./write.ts')).write,
  },
  create: {
    tells: 'payments created over HTTP against a Fastify handler with a transaction per request',
    load: async () => (await import('./create.ts')).create,
  },
  watch: { tells: '1,000 watchers: how soon a write arrives, what a watcher costs', load: async () => (await import('./watch.ts')).watch },
  growth: {
    tells: 'reads, writes and snapshots at a thousand and a million entries',
    load: async () => (await import('./growth.ts')).growth,
  },
  start: { tells: 'how long service and command line take to start', load: async () => (await import('./start.ts')).start },
  relay: { tells: 'events from commit to confirmation at 1, 100 and 10,000 streams', load: async () => (await import('./relay.ts')).relay },
  'relay-rabbitmq': {
    tells: 'events from commit to confirmation over RabbitMQ at 1,000 streams, against bare amqplib',
    load: async () => (await import('./relay-rabbitmq.ts')).relayRabbitmq,
  },
  webhooks: {
    tells: 'deliveries to ten endpoints, of which none or one hangs',
    load: async () => (await import('./webhooks.ts')).webhooks,
  },
  backlog: { tells: 'how fast a thousand to a million pending events drain', load: async () => (await import('./backlog.ts')).backlog },
  cache: {
    tells: 'settings read through Redis, with and without the near cache, against a bare GET',
    load: async () => (await import('./cache.ts')).cache,
  },
  limiter: {
    tells: 'rate limit checks on Redis against rate-limiter-flexible',
    load: async () => (await import('./limiter.ts')).limiter,
  },
  fuzz: { tells: '100,000 wrong requests of every kind, and what they are answered', load: async () => (await import('./fuzz.ts')).fuzz },
  edge: {
    tells: 'authenticated, limited, validated requests against Fastify with plugins, and ten times more than can be done',
    load: async () => (await import('./edge.ts')).edge,
  },
}

async function run(name: string, benchmark: Benchmark): Promise<void> {
  const before = machine()
  const measure = await benchmark.load()
  publish(name, await measure(), before)
}

const [name] = process.argv.slice(2)
const chosen = name === 'all' ? Object.entries(benchmarks) : Object.entries(benchmarks).filter(([known]) => known === name)
if (chosen.length === 0) {
  const width = Math.max(...Object.keys(benchmarks).map((known) => known.length))
  const lines = Object.entries(benchmarks).map(([known, { tells }]) => `  ${known.padEnd(width)}  ${tells}\n`)
  const text = `usage: npm run bench -- <name>\n\n${lines.join('')}  ${'all'.padEnd(width)}  one after another\n`
  if (name === undefined) process.stdout.write(text)
  else process.stderr.write(text)
  process.exitCode = name === undefined ? 0 : 2
}
for (const [chosenName, benchmark] of chosen) await run(chosenName, benchmark)
const profiles = process.env['BENCH_PROFILE']
if (profiles !== undefined) process.stdout.write(`${topFunctions(profiles).join('\n')}\n`)
