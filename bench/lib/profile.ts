import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Node = Readonly<{ id: number; callFrame: Readonly<{ functionName: string; url: string; lineNumber: number }> }>
type CpuProfile = Readonly<{ nodes: readonly Node[]; samples: readonly number[]; timeDeltas: readonly number[] }>

/** The functions that took most time themselves, of every CPU profile in a directory. */
export function topFunctions(directory: string, count = 25): readonly string[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.cpuprofile'))
  return files.flatMap((file) => [file, ...topOf(JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile, count)])
}

function topOf({ nodes, samples, timeDeltas }: CpuProfile, count: number): readonly string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const spent = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '?'
    if (name !== '(idle)') spent.set(name, (spent.get(name) ?? 0) + (timeDeltas[index] ?? 0))
  }
  const total = [...spent.values()].reduce((sum, time) => sum + time, 0)
  const sorted = [...spent].toSorted(([, left], [, right]) => right - left)
  return sorted.slice(0, count).map(([name, time]) => `  ${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`)
}

function nameOf({ functionName, url, lineNumber }: Node['callFrame']): string {
  const place = url.replace(/^.*\/(?=packages\/|node_modules\/)/, '')
  return `${functionName === '' ? '(anonymous)' : functionName}${place === '' ? '' : ` ${place}:${lineNumber + 1}`}`
}
