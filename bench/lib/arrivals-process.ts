import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ArrivalFigures, ArrivalPlan } from './arrivals.ts'

const file = join(import.meta.dirname, '../peers/arrivals.ts')

/** Arrivals from a process of its own. */
export async function arrivalsApart(plan: ArrivalPlan): Promise<ArrivalFigures> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@cbp/source', file, JSON.stringify(plan)])
  return JSON.parse(stdout) as ArrivalFigures
}
