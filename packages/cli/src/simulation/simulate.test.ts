import { expect, it } from 'vitest'
import { type Ended, noHost, type RunOptions, run } from '../../tests/harness.ts'
import type { Simulate } from '../host.ts'

const simulate: Simulate = async (seed) => ({
  seed,
  violations: seed === 7 ? [{ law: 'L2', detail: 'two writers won' }] : [],
  counts: { writes: 10 },
  faults: { 'store slow': 2, crash: seed === 1 ? 1 : 0 },
})

function simulated(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return run({ ...noHost, simulation: async () => simulate }, ['simulate', ...args], options)
}

it('runs one world for each seed and adds up what was tested', async () => {
  const { code, json, stderr } = await simulated(['--seeds', '3', '--seed', '1', '--json'])
  expect([code, stderr]).toEqual([0, ''])
  expect(json()).toEqual({
    engine: 'fakes',
    firstSeed: 1,
    seeds: 3,
    counts: { writes: 30 },
    faults: { 'store slow': 6, crash: 1 },
    failed: [],
  })
})

it('ends with exit code 1 when a law is broken, and says how to see it again', async () => {
  const { code, stdout, stderr } = await simulated(['--seeds', '5', '--seed', '5'])
  expect(code).toBe(1)
  expect(stderr).toContain('seed 7: L2 is broken: two writers won')
  expect(stdout).toContain('cbp simulate --seeds 1 --engine fakes --seed 7')
})

it('tells with --trace which faults have struck, and how often', async () => {
  const lines = async (...more: readonly string[]): Promise<readonly string[]> =>
    (await simulated(['--seeds', '3', '--seed', '1', ...more])).stdout.split('\n').map((line) => line.replace(/\s+/g, ' ').trim())
  expect(await lines('--trace')).toEqual(expect.arrayContaining(['FAULT TOTAL', 'store slow 6', 'crash 1']))
  expect(await lines()).not.toContain('FAULT TOTAL')
})

it('hears a signal between two worlds', async () => {
  expect(await simulated([], { cancel: AbortSignal.abort('SIGINT') })).toMatchObject({ code: 130, stdout: '' })
})
