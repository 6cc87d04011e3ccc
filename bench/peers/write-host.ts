/** The HTTP interface over a store that either shares commits or makes one for every unit; else all the same. */
import { mkdirSync } from 'node:fs'
import { edge, httpInterface, lifecycle, listen, loadDevelopmentKey, type RequestRecord, shippedSettings, tokenVerifier } from '@cbp/http'
import { defaultAudience, developmentIssuer } from '@cbp/http/assembly'
import { openHexagon } from '../lib/hexagon.ts'

const [dataDir = '', mode = 'shared'] = process.argv.slice(2)
mkdirSync(dataDir, { recursive: true })
await using hexagon = await openHexagon(dataDir, { oneCommitPerUnit: mode === 'plain' })
const key = await loadDevelopmentKey(dataDir)
const ends = lifecycle()
const log = gatheredLog()
const passing = async () => ({ status: 'pass' as const, output: '', engine: 'bench', durationMs: 0 })
const app = httpInterface({
  core: hexagon.core,
  edge: edge({
    verifyToken: tokenVerifier({ issuer: developmentIssuer, audience: defaultAudience, keys: { kind: 'local', key }, secret: null }),
    authenticateApiKey: hexagon.core.access.authenticateApiKey,
    isSigned: () => false,
    limiter: { take: ({ limit }) => ({ allowed: true, limit, remaining: limit, resetSeconds: 0, retryAfterSeconds: 0 }) },
    settings: () => shippedSettings,
    note: () => {},
    trustProxy: [],
  }),
  log: { write: () => {} },
  health: { database: passing, cache: passing, queue: passing },
  lifecycle: ends,
  exposeMetrics: async () => '',
  onAnswered: log,
  instanceId: 'bench',
  version: '0',
  now: Date.now,
})
const background = new AbortController()
const working = hexagon.core.run(background.signal)
const listening = await listen(app, { host: '127.0.0.1', port: 0 }, ends, () => 'bench-x')
process.stdout.write(`listening on ${listening.url}\n`)
await new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()))
await listening.close()
background.abort()
await working

function gatheredLog(): (record: RequestRecord) => void {
  let waiting = ''
  return (record) => {
    waiting += `${JSON.stringify(record)}\n`
    if (waiting.length < 8 * 1024) return
    process.stderr.write(waiting)
    waiting = ''
  }
}
