/** Load from a process of its own, which steps back for the server that it shares the processors with. */
import { setPriority } from 'node:os'
import { type ArrivalPlan, arrivals } from '../lib/arrivals.ts'

const below = 10

setPriority(below)
process.stdout.write(JSON.stringify(await arrivals(JSON.parse(process.argv[2] ?? '') as ArrivalPlan)))
