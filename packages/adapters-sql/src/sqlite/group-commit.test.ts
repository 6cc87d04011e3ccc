import { storeUnavailable } from '@cbp/core'
import { type FakeClock, fakeClock, fakeRandom } from '@cbp/core/testing'
import { describe, expect, it } from 'vitest'
import type { Durability } from '../sql/engine.ts'
import { type BatchFailure, defaultLimits, type GroupCommit, type GroupCommitLimits, groupCommit, type Job } from './group-commit.ts'

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('made up'), { code: 'ERR_SQLITE_ERROR', errcode })
}

type Script = { begin?: Error | null; commit?: Error; open?: boolean }

type Bench = Readonly<{
  group: GroupCommit
  clock: FakeClock
  /** What happened, in order. */
  log: string[]
  script: Script
  /** Runs what was put off until the next turn. */
  turn(): Promise<void>
}>

function bench(limits: Partial<GroupCommitLimits> = {}): Bench {
  const clock = fakeClock()
  const log: string[] = []
  const script: Script = {}
  let deferred: (() => void)[] = []
  const group = groupCommit({
    transaction: {
      begin(durability) {
        if (script.begin) throw script.begin
        log.push(`begin ${durability}`)
      },
      isOpen: () => script.open ?? true,
      complete: () => void log.push('complete'),
      commit() {
        if (script.commit) throw script.commit
        log.push('commit')
      },
      rollback: () => void log.push('rollback'),
    },
    clock,
    random: fakeRandom(1),
    defer: (run) => void deferred.push(run),
    limits: { ...defaultLimits, ...limits },
  })
  async function turn(): Promise<void> {
    const ready = deferred
    deferred = []
    for (const run of ready) run()
    for (let tick = 0; tick < 50; tick += 1) await Promise.resolve()
  }
  return { group, clock, log, script, turn }
}

function job(log: string[], name: string, overrides: Partial<Job> = {}): Job {
  return {
    durability: 'full' as Durability,
    async run() {
      log.push(name)
      return () => void log.push(`${name} answered`)
    },
    fail: ({ kind }: BatchFailure) => void log.push(`${name} ${kind}`),
    refuse: ({ reason }) => void log.push(`${name} refused: ${reason}`),
    ...overrides,
  }
}

describe('group commit', () => {
  it('runs the jobs of one turn in one transaction and answers them after its commit', async () => {
    const { group, log, turn } = bench()
    for (const name of ['a', 'b']) group.enqueue(job(log, name))
    await turn()
    expect(log).toEqual(['begin full', 'a', 'b', 'complete', 'commit', 'a answered', 'b answered'])
  })

  it('bounds the jobs of a batch and lets others have a turn in between', async () => {
    const { group, log, turn } = bench({ batchUnits: 2 })
    for (const name of ['a', 'b', 'c']) group.enqueue(job(log, name))
    await turn()
    expect(log).not.toContain('c')
    await turn()
    expect(log).toContain('c answered')
  })

  it('bounds the time of a batch', async () => {
    const { group, clock, log, turn } = bench({ batchMs: 10 })
    const slow = job(log, 'slow', {
      async run() {
        await clock.advance(11)
        return () => void log.push('slow answered')
      },
    })
    group.enqueue(slow)
    group.enqueue(job(log, 'next'))
    for (let turns = 0; turns < 5 && !log.includes('slow answered'); turns += 1) await turn()
    expect(log).not.toContain('next')
  })

  it('refuses whom it has no room for', () => {
    const { group, log } = bench({ queue: 1 })
    group.enqueue(job(log, 'a'))
    group.enqueue(job(log, 'b'))
    expect(log).toEqual([expect.stringContaining('b refused: the store is overloaded')])
  })

  it('puts relaxed jobs into a full transaction, whichever comes first', async () => {
    const { group, log, turn } = bench()
    group.enqueue(job(log, 'a', { durability: 'relaxed' }))
    group.enqueue(job(log, 'b'))
    group.enqueue(job(log, 'c', { durability: 'relaxed' }))
    await turn()
    expect(log.filter((entry) => /^(begin|[abc]$)/.test(entry))).toEqual(['begin full', 'a', 'b', 'c'])
    group.enqueue(job(log, 'd', { durability: 'relaxed' }))
    await turn()
    expect(log.at(-1)).toBe('d answered')
    expect(log).toContain('begin relaxed')
  })

  it('puts a full job that comes late into no relaxed transaction', async () => {
    const { group, log, turn } = bench()
    const late = (): void => group.enqueue(job(log, 'b'))
    group.enqueue(
      job(log, 'a', {
        durability: 'relaxed',
        run: async () => {
          log.push('a')
          late()
          return () => log.push('a done')
        },
      }),
    )
    await turn()
    await turn()
    expect(log.filter((entry) => /^(begin|[ab]$)/.test(entry))).toEqual(['begin relaxed', 'a', 'begin full', 'b'])
  })

  it('fails everybody when SQLite has rolled back by itself', async () => {
    const { group, log, script, turn } = bench()
    script.open = false
    group.enqueue(job(log, 'a'))
    await turn()
    expect(log).toEqual(['begin full', 'a', 'rollback', 'a contended'])
  })

  it('rolls back for everybody when a statement fails', async () => {
    const { group, log, turn } = bench()
    group.enqueue(job(log, 'a'))
    group.enqueue(job(log, 'b', { run: () => Promise.reject(sqliteError(13)) }))
    await turn()
    expect(log).toEqual(['begin full', 'a', 'rollback', 'a rolled-back', 'b rolled-back'])
  })

  it.each([
    [5, 'contended'],
    [1034, 'sent'],
    [13, 'sent'],
  ])('tells what a failed COMMIT means: %i is %s', async (code, kind) => {
    const { group, log, script, turn } = bench()
    script.commit = sqliteError(code)
    group.enqueue(job(log, 'a'))
    await turn()
    expect(log).toEqual(['begin full', 'a', 'complete', 'rollback', `a ${kind}`])
  })

  it('goes on after a failed batch', async () => {
    const { group, log, script, turn } = bench()
    script.commit = sqliteError(1034)
    group.enqueue(job(log, 'a'))
    await turn()
    delete script.commit
    group.enqueue(job(log, 'b'))
    await turn()
    expect(log).toContain('b answered')
  })

  it('waits for another process without a turn of its own', async () => {
    const { group, clock, log, script, turn } = bench()
    script.begin = sqliteError(5)
    group.enqueue(job(log, 'a'))
    await turn()
    await clock.advance(100)
    expect(log).toEqual([])
    script.begin = null
    await clock.advance(100)
    await turn()
    expect(log).toContain('a answered')
  })

  it('gives up on another process that does not give way', async () => {
    const { group, clock, log, script, turn } = bench({ busyMs: 50 })
    script.begin = sqliteError(517)
    group.enqueue(job(log, 'a'))
    await turn()
    await clock.advance(100)
    expect(log).toEqual([expect.stringContaining('a refused: SQLite 517: another process')])
  })

  it('expires a job that never ends', async () => {
    const { group, clock, log, turn } = bench({ workMs: 5000 })
    const stuck = job(log, 'stuck', {
      run: ({ onExpired }) => new Promise((resolve) => onExpired((reason) => resolve(() => log.push(reason)))),
    })
    group.enqueue(stuck)
    group.enqueue(job(log, 'next'))
    await turn()
    await turn()
    await clock.advance(10_000)
    await turn()
    expect(log).toContain('the work took longer than 5000 ms')
    expect(log).toContain('next answered')
  })

  it.each([
    ['ends', () => {}],
    [
      'fails',
      () => {
        throw sqliteError(10)
      },
    ],
  ])('answers nobody once it is abandoned, although a job still %s', async (_, end) => {
    const { group, log, script, turn } = bench()
    const cut = job(log, 'cut', {
      async run() {
        group.abandon()
        script.open = false
        end()
        return () => void log.push('cut answered')
      },
    })
    group.enqueue(cut)
    group.enqueue(job(log, 'waiting'))
    await turn()
    await turn()
    expect(log).toEqual(['begin full'])
  })

  it('drains before it closes, and refuses newcomers', async () => {
    const { group, log, turn } = bench()
    group.enqueue(job(log, 'a'))
    const drained = group.drain()
    group.enqueue(job(log, 'b'))
    expect(log).toEqual([`b refused: ${storeUnavailable('the store is closing').reason}`])
    await turn()
    await drained
    expect(log).toContain('a answered')
  })
})
