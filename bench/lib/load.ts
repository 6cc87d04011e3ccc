import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import autocannon from 'autocannon'

export type Load = Readonly<{ url: string; headers: Readonly<Record<string, string>>; connections: number; seconds: number }>

export type LoadFigures = Readonly<{ requests: number; perSecond: number; p50Ms: number; p99Ms: number; failures: number }>

export type Generator = Readonly<{ name: 'wrk' | 'autocannon'; run: (load: Load) => Promise<LoadFigures> }>

/** wrk where it is installed: written in C, it leaves a server on the other core to itself. */
export function loadGenerator(): Generator {
  return isOnPath('wrk') ? { name: 'wrk', run: runWrk } : { name: 'autocannon', run: runAutocannon }
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

async function runWrk({ url, headers, connections, seconds }: Load): Promise<LoadFigures> {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const { stdout } = await promisify(execFile)('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    '15s',
    '--latency',
    ...fields,
    url,
  ])
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  const unexpected = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0)
  const cut = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? []
  const failures = cut.reduce((sum, count) => sum + Number(count), unexpected)
  return { requests, perSecond, p50Ms: wrkMs(stdout, '50%'), p99Ms: wrkMs(stdout, '99%'), failures }
}

function wrkMs(output: string, label: string): number {
  const [, figure, unit] = new RegExp(`${label}\\s+([\\d.]+)(us|ms|s)`).exec(output) ?? []
  return Number(figure) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1)
}

async function runAutocannon({ url, headers, connections, seconds }: Load): Promise<LoadFigures> {
  const { requests, latency, errors, non2xx } = await autocannon({ url, headers: { ...headers }, connections, duration: seconds })
  const failures = errors + (headers['if-none-match'] === undefined ? non2xx : 0)
  return { requests: requests.total, perSecond: requests.average, p50Ms: latency.p50, p99Ms: latency.p99, failures }
}
