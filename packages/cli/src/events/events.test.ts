import {
  type Core,
  type DeadLetter,
  type EventsService,
  type SequencedEvent,
  type Stream,
  type StreamState,
  storeUnavailable,
  type Uuid,
} from '@cbp/core'
import { errAsync, okAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { type Ended, memoryHost, noHost, type RunOptions, run } from '../../tests/harness.ts'
import type { Host } from '../host.ts'

function events(host: Host, line: string, options: RunOptions = {}): Promise<Ended> {
  return run(host, ['events', ...line.split(' ')], options)
}

describe('streams', () => {
  async function hostWithStreams(): Promise<Host> {
    const host = memoryHost()
    for (const component of ['a', 'b', 'c']) await run(host, ['config', 'set', component, 'key', '1', '--reason', 'r'])
    return host
  }

  it('lists how far each is sent', async () => {
    const host = await hostWithStreams()
    const { stdout } = await events(host, 'streams')
    expect(stdout).toMatch(/^config-a {2,}1 {2,}0 {2,}1 {2,}0$/m)
    expect((await events(host, 'streams --json')).json()).toMatchObject({
      items: [{ id: 'config-a', last: 1, confirmed: 0, backlog: 1, blocked: null }, { id: 'config-b' }, { id: 'config-c' }],
      nextAfter: null,
    })
  })

  it('pages by name', async () => {
    const host = await hostWithStreams()
    expect((await events(host, 'streams --limit 2 --json')).json()).toMatchObject({ items: { length: 2 }, nextAfter: 'config-b' })
    expect((await events(host, 'streams --after config-b --json')).json()).toMatchObject({ items: [{ id: 'config-c' }], nextAfter: null })
    expect((await events(host, 'streams --limit 1 --all --json')).json()).toMatchObject({ items: { length: 3 }, nextAfter: null })
  })

  it('shows only blocked ones when it is asked to', async () => {
    expect((await events(await hostWithStreams(), 'streams --blocked')).stdout).toBe('No stream is blocked.\n')
  })

  it('shows why a stream is blocked, and lets it go on', async () => {
    let blocked: StreamState['blocked'] = { sequence: 4, reason: 'refused: too large', since: 0 }
    const state = (): StreamState => ({ stream: 'system' as Stream, last: 9, confirmed: 3, refusals: 5, blocked })
    const host = memoryHost({}, (core) =>
      withEvents(core, {
        stream: () => okAsync(state()),
        unblock: () => {
          blocked = null
          return okAsync(state())
        },
      }),
    )
    expect((await events(host, 'show system')).stdout).toContain('at #4 since 1970-01-01T00:00:00.000Z: refused: too large')
    expect((await events(host, 'unblock system --json')).json()).toMatchObject({ id: 'system', blocked: null })
  })

  it.each(['show nothing', 'unblock nothing', 'show ../x'])('ends with exit code 4 where there is none: %s', async (line) => {
    expect(await events(memoryHost(), line)).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('There is no stream') })
  })
})

describe('dead letters', () => {
  it('lists those that wait, the newest first', async () => {
    const { host } = hostWithLetters(3)
    const { json } = await events(host, 'dead --limit 2 --json')
    expect(json()).toMatchObject({ items: [{ id: idOf(3), state: 'dead' }, { id: idOf(2) }], nextBefore: idOf(2) })
    expect((await events(host, 'dead --consumer nobody')).stdout).toBe('There are no such dead letters.\n')
    expect((await events(host, 'dead --state replayed --json')).json()).toMatchObject({ items: [] })
    expect((await events(host, 'dead --all --limit 1 --json')).json()).toMatchObject({ items: { length: 3 } })
  })

  it('shows one with its event, and nothing that a terminal would obey', async () => {
    const { host } = hostWithLetters(1)
    const { stdout } = await events(host, `show ${idOf(1)}`)
    for (const text of ['SYSTEM_ALERT', 'system #1', 'cannot be read: \\u001b[2J', '"severity": "INFO"']) expect(stdout).toContain(text)
    expect(stdout).not.toContain('\u001b[2J')
  })

  it('replays one', async () => {
    const { host, replayed } = hostWithLetters(2)
    const { code, json } = await events(host, `replay ${idOf(2)} --json`)
    expect([code, json(), replayed()]).toEqual([0, expect.objectContaining({ id: idOf(2), state: 'replayed' }), [idOf(2)]])
    expect(await events(host, `replay ${idOf(2)}`)).toMatchObject({ code: 3, stderr: expect.stringContaining('was replayed before') })
  })

  it('replays all, the oldest first, and waits where there are too many', async () => {
    const { host, replayed, refusals } = hostWithLetters(5, { placesBeforePause: 2 })
    const { code, json } = await events(host, 'replay --all --json')
    expect([code, json()]).toEqual([0, expect.objectContaining({ replayed: 5, failed: 0 })])
    expect([replayed(), refusals() > 0]).toEqual([[1, 2, 3, 4, 5].map(idOf), true])
  })

  it('goes on when one cannot be applied, and ends with exit code 1', async () => {
    const { host } = hostWithLetters(3, { hopeless: idOf(2) })
    const { code, json } = await events(host, 'replay --all --json')
    expect([code, json()]).toEqual([
      1,
      {
        replayed: 2,
        failed: 1,
        items: [
          { id: idOf(1), outcome: 'replayed' },
          { id: idOf(2), outcome: 'failed', code: 'event-not-applicable', detail: expect.any(String) },
          { id: idOf(3), outcome: 'replayed' },
        ],
      },
    ])
    expect((await events(host, `replay ${idOf(2)} ${idOf(3)}`)).stdout).toContain('0 of 2 dead letters were applied')
  })

  it('ends with exit code 5 when the store goes away, and tells how far it came', async () => {
    const { host } = hostWithLetters(3, { storeGoneAt: idOf(2) })
    const { code, stdout, problem } = await events(host, 'replay --all --json')
    expect([code, stdout, problem()]).toEqual([
      5,
      '',
      expect.objectContaining({ code: 'store-unavailable', replayed: 1, failed: 0, left: 2 }),
    ])
  })

  it.each(['replay', `replay --all ${idOf(1)}`, `replay ${idOf(1)} --consumer webhooks`, 'dead --state lost'])(
    'refuses %s as wrong usage',
    async (line) => {
      expect(await events(noHost, line)).toMatchObject({ code: 2, stdout: '' })
    },
  )

  it('asks before it discards, and keeps the reason', async () => {
    const { host } = hostWithLetters(1)
    expect(await events(host, `discard ${idOf(1)} --reason old`)).toMatchObject({ code: 2 })
    const no = await events(host, `discard ${idOf(1)} --reason old`, { tty: true, stdin: '\n' })
    expect([no.code, no.stderr]).toEqual([1, expect.stringContaining('Give up SYSTEM_ALERT of system for webhooks, for ever?')])
    const { json } = await events(host, `discard ${idOf(1)} --reason old --yes --json`)
    expect(json()).toMatchObject({ state: 'discarded', settled: { actor: 'cli:tester', reason: 'old' } })
    expect(await events(host, `discard ${idOf(1)} --reason old --yes`)).toMatchObject({ code: 3 })
  })

  it.each(['show 01890000-0000-7000-8000-00000000dead', 'replay x', 'discard 01890000-0000-7000-8000-00000000dead --reason r --yes'])(
    'ends with exit code 4 for what is not there: %s',
    async (line) => {
      expect(await events(hostWithLetters(0).host, line)).toMatchObject({ code: 4, stdout: '' })
    },
  )
})

function withEvents(core: Core, changed: Partial<EventsService>): Core {
  return { ...core, events: { ...core.events, ...changed } }
}

function idOf(number: number): Uuid {
  return `01890000-0000-7000-8000-00000000000${number}` as Uuid
}

function letter(number: number): DeadLetter {
  const event: SequencedEvent = {
    id: idOf(number),
    stream: 'system' as Stream,
    sequence: number,
    event: { type: 'SYSTEM_ALERT', payload: { component: 'x', details: {}, severity: 'INFO', timestamp: '' } },
    occurredAt: 0,
    traceparent: null,
  }
  return {
    id: idOf(number),
    consumer: 'webhooks',
    event,
    reason: 'cannot be read: \u001b[2J',
    failures: 3,
    deadAt: 0,
    state: 'dead',
    settled: null,
  }
}

type Trouble = Readonly<{ placesBeforePause?: number; hopeless?: Uuid; storeGoneAt?: Uuid }>

/** A host with dead letters, whose replays go as it is told. */
function hostWithLetters(
  count: number,
  { placesBeforePause = Number.POSITIVE_INFINITY, hopeless, storeGoneAt }: Trouble = {},
): Readonly<{ host: Host; replayed: () => readonly Uuid[]; refusals: () => number }> {
  const letters = new Map(Array.from({ length: count }, (_, index) => [idOf(index + 1), letter(index + 1)]))
  const replayed: Uuid[] = []
  let places = placesBeforePause
  let refusals = 0
  const end = (found: DeadLetter, state: 'replayed' | 'discarded', actor: string, reason: string | null): DeadLetter => {
    const ended: DeadLetter = { ...found, state, settled: { at: 1, actor, reason } }
    letters.set(found.id, ended)
    return ended
  }
  const service: Partial<EventsService> = {
    deadLetters: ({ consumer, state }, before, limit) => {
      const all = [...letters.values()]
        .reverse()
        .filter((each) => (consumer ?? each.consumer) === each.consumer && (state ?? each.state) === each.state)
      const rest = all.filter(({ id }) => before === null || id < before)
      const items = rest.slice(0, limit)
      return okAsync({ items, next: rest.length > limit ? (items.at(-1)?.id ?? null) : null })
    },
    deadLetter: (id) => {
      const found = letters.get(id)
      return found === undefined ? errAsync({ kind: 'dead-letter-not-found', id }) : okAsync(found)
    },
    replayDeadLetter: (id, { client }) => {
      const found = letters.get(id)
      if (found === undefined) return errAsync({ kind: 'dead-letter-not-found', id })
      if (id === storeGoneAt) return errAsync(storeUnavailable('locked'))
      if (found.state !== 'dead') return errAsync({ kind: 'dead-letter-settled', letter: found })
      if (id === hopeless) return errAsync({ kind: 'event-not-applicable', reason: 'still not' })
      places -= 1
      if (places < 0) {
        places = placesBeforePause
        refusals += 1
        return errAsync({ kind: 'too-many-replays', retryAfterMs: 1 })
      }
      replayed.push(id)
      return okAsync(end(found, 'replayed', client, null))
    },
    discardDeadLetter: (id, reason, { client }) => {
      const found = letters.get(id)
      if (found === undefined) return errAsync({ kind: 'dead-letter-not-found', id })
      if (found.state !== 'dead') return errAsync({ kind: 'dead-letter-settled', letter: found })
      return okAsync(end(found, 'discarded', client, reason))
    },
  }
  return { host: memoryHost({}, (core) => withEvents(core, service)), replayed: () => replayed, refusals: () => refusals }
}
