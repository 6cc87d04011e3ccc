import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { campaign, kinds, logFaults } from '../bench/fuzz/campaign.ts'
import type { Operation } from '../bench/fuzz/draft.ts'
import { faultsOf, inner } from '../bench/fuzz/oracle.ts'
import { startTarget } from '../bench/fuzz/target.ts'

async function inDirectory<T>(work: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'cbp-fuzz-'))
  try {
    return await work(path)
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

describe('a service that is told wrong things', () => {
  it('knows more than a hundred kinds of them, each by its name', () => {
    const names = kinds.map(({ name }) => name)
    expect(names.length).toBeGreaterThanOrEqual(100)
    expect(new Set(names).size).toBe(names.length)
  })

  it(
    'answers each kind with a problem of its catalogue, and tells neither stack nor secret, in answers and log',
    () =>
      inDirectory(async (path) => {
        const { host, target, log } = await startTarget(path)
        await using _ending = host
        const outcome = await campaign(target, { numRequests: kinds.length * 2, seed: 7, connections: 4 })
        await host.stop()
        expect(outcome.faults).toEqual([])
        expect(outcome.counts.size).toBe(kinds.length)
        expect(logFaults(log, [...inner, ...target.forbidden])).toEqual([])
        expect(target.forbidden.length).toBeGreaterThan(7)
      }),
    180_000,
  )
})

describe('what holds answers against their promises', () => {
  const headers = new Map([
    ['x-request-id', 'r'],
    ['x-content-type-options', 'nosniff'],
    ['content-security-policy', 'x'],
    ['content-type', 'application/problem+json'],
  ])
  const operation: Operation = { name: 'GET /x', method: 'GET', path: '/x', parameters: [], body: null, statuses: new Set([200, 500, 503]) }
  const problem = {
    type: '/problems/internal-error',
    title: 't',
    status: 500,
    detail: 'd',
    instance: '/x',
    code: 'internal-error',
    requestId: 'r',
  }
  const found = (status: number, text: string): readonly string[] =>
    faultsOf({ status, headers, text }, operation, true, {
      problems: new Map([['internal-error', 500]]),
      forbidden: [...inner, { what: 'a secret', pattern: 's3cret' }],
    })

  it('finds what is planted', () => {
    expect(found(500, JSON.stringify(problem))).toEqual(['500 internal-error'])
    expect(found(200, 'Error: x\n    at f (/a/b.ts:3:1)')).toEqual(['it tells a stack'])
    expect(found(200, '{"value":"s3cret"}')).toEqual(['it tells a secret'])
    expect(found(200, 'SQLITE_BUSY: database is locked')).toEqual(['it tells words of the database'])
    expect(found(418, '{}')).toContain('418 is not documented')
    expect(found(503, 'Bad Gateway')).toEqual(['the problem is no JSON'])
    expect(found(500, JSON.stringify({ ...problem, requestId: 'other' }))).toContain('its requestId is another')
  })

  it('finds lines that are none, and errors, in a log', () =>
    inDirectory(async (path) => {
      const file = join(path, 'log')
      const lines = [
        '{"level":"info","time":"t","msg":"m"}',
        'forged',
        '{"level":"error","time":"t","msg":"m"}',
        '{"level":"info","time":"t","msg":"s3cret"}',
      ]
      await writeFile(file, `${lines.join('\n')}\n`)
      const faults = logFaults(file, [{ what: 'a secret', pattern: 's3cret' }])
      expect(faults.map((fault) => fault.split(':')[0])).toEqual(['line 2', 'line 3', 'line 4'])
    }))
})
