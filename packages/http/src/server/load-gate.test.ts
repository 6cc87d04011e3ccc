import type { LoadLimits } from '@cbp/core'
import { describe, expect, it, vi } from 'vitest'
import { openServer } from '../../tests/support.ts'
import { shippedSettings } from './live-settings.ts'
import { loadGate } from './load-gate.ts'
import { openStreams } from './open-streams.ts'
import type { Leave } from './places.ts'
import { type Turns, turnsOfEventLoop } from './turns.ts'

const limits: LoadLimits = { inFlight: 4, queued: 2, queueMs: 30, turnMs: 5, streams: 2 }
const calm: Turns = { isLate: () => false }
const [one, other, third] = [{}, {}, {}]

function openGate(turns: Turns = calm, given: LoadLimits = limits): ReturnType<typeof loadGate> {
  return loadGate({ limits: () => given, turns, fraction: () => 0 })
}

describe('the places of requests', () => {
  it('are as many as there are, and no route has more than half of them', () => {
    const gate = openGate()
    for (const route of [one, one, other, other]) expect(gate.enter('request', route)).toBeTypeOf('function')
    expect(gate.enter('request', third)).toBeInstanceOf(Promise)
    expect(gate.counts()).toMatchObject({ inFlight: 4, queued: 1 })
  })

  it('are not taken by a route that waits for others', () => {
    const gate = openGate()
    for (const route of [one, one]) void gate.enter('request', route)
    expect([gate.enter('request', one) instanceof Promise, typeof gate.enter('request', other)]).toEqual([true, 'function'])
  })

  it('go to the newest of those that wait', async () => {
    const gate = openGate()
    const leave = gate.enter('request', one) as Leave
    void gate.enter('request', one)
    const [first, second] = [gate.enter('request', one), gate.enter('request', one)]
    leave()
    expect([await second, await first]).toEqual([expect.any(Function), null])
    expect(gate.counts().shed).toMatchObject({ 'queue-time': 1 })
  })

  it('are refused at once when as many wait as may', () => {
    const gate = openGate()
    for (let entered = 0; entered < 4; entered += 1) void gate.enter('request', one)
    expect([gate.enter('request', one), gate.counts().shed['queue-full']]).toEqual([null, 1])
  })

  it('are all free again when everybody has left', async () => {
    const gate = openGate()
    const leaves = [one, one, other].map((route) => gate.enter('request', route) as Leave)
    for (const leave of leaves) leave()
    expect(gate.counts()).toMatchObject({ inFlight: 0, queued: 0 })
  })
})

describe('under load', () => {
  const late: Turns = { isLate: (_target, patience) => patience < 4 }

  it('probes and webhooks come first', () => {
    const gate = openGate(late)
    expect(gate.enter('request', one)).toBeNull()
    expect([gate.enter('probe', one), gate.enter('webhook', one)]).toEqual([expect.any(Function), expect.any(Function)])
  })

  it('webhooks are bounded too', () => {
    const gate = openGate()
    for (let entered = 0; entered < 4; entered += 1) expect(gate.enter('webhook', one)).not.toBeNull()
    expect(gate.enter('webhook', one)).toBeNull()
  })

  it('streams have places of their own', () => {
    const gate = openGate(late)
    const leave = gate.enter('stream', one) as Leave
    void gate.enter('stream', one)
    expect([gate.enter('stream', one), gate.counts().inFlight]).toEqual([null, 0])
    leave()
    expect(gate.enter('stream', one)).not.toBeNull()
  })

  it('a refusal is held for a while, so that who is refused is not back at once', async () => {
    const gate = openGate()
    const heldAt = performance.now()
    const held = gate.hold()
    expect(gate.counts().held).toBe(1)
    await held
    expect(performance.now() - heldAt).toBeGreaterThan(200)
    expect(gate.counts().held).toBe(0)
  })
})

describe('turns of the event loop', () => {
  type Loop = { nowMs: number; workedMs: number; turn: number; idledMs: number; end: () => void }

  function openLoop(): Loop & { readonly turns: Turns } {
    const loop: Loop = { nowMs: 0, workedMs: 0, turn: 0, idledMs: 0, end: () => {} }
    const turns = turnsOfEventLoop({
      now: () => loop.nowMs,
      workMs: () => loop.workedMs,
      turn: () => loop.turn,
      idleMs: () => loop.idledMs,
      afterTurn: (end) => {
        loop.end = end
      },
    })
    return Object.assign(loop, { turns })
  }

  /** One turn in which `requests` each take a tenth of a millisecond of work; how many of them were late. */
  function take(loop: ReturnType<typeof openLoop>, requests: number, workMs = 0.1): number {
    let late = 0
    loop.turn += 1
    for (let request = 0; request < requests; request += 1) {
      if (loop.turns.isLate(5, 1)) late += 1
      loop.nowMs += 0.1
      loop.workedMs += workMs
    }
    loop.end()
    return late
  }

  it('make nobody late in one long turn', () => {
    const loop = openLoop()
    expect(take(loop, 500)).toBe(0)
  })

  it('make those late who come after much work, once that has gone on for a while', () => {
    const loop = openLoop()
    const late = Array.from({ length: 10 }, () => take(loop, 500))
    expect(late.slice(0, 2)).toEqual([0, 0])
    expect(late.at(-1)).toBeGreaterThan(400)
  })

  it('count work, not time: a machine that others keep busy makes nobody late', () => {
    const loop = openLoop()
    expect(Array.from({ length: 20 }, () => take(loop, 500, 0.005))).not.toContain(1)
  })

  it('make few requests late never, however long they take', () => {
    const loop = openLoop()
    expect(Array.from({ length: 200 }, () => take(loop, 60, 1)).every((late) => late === 0)).toBe(true)
  })

  it('forget overload when the loop has idled for some time', () => {
    const loop = openLoop()
    for (let turn = 0; turn < 10; turn += 1) take(loop, 500)
    loop.nowMs += 5_000
    loop.idledMs += 5_000
    expect(take(loop, 500)).toBe(0)
  })
})

describe('a server with more to do than it can do', () => {
  it('answers 503 with Retry-After, in the words of every problem, and health all the same', async () => {
    const { url, logged } = await openServer({ turns: { isLate: () => true }, settings: () => shippedSettings })
    const answer = await fetch(`${url}/config`)
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
      503,
      '1',
      expect.objectContaining({ code: 'overloaded' }),
    ])
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    expect(logged).toEqual([])
  })
})

describe('a stream', () => {
  it('is cut when its credential is revoked', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      let isRevoked = false
      const destroy = vi.fn()
      const streams = openStreams({ isStillValid: async () => !isRevoked }, 1000)
      const header = (name: string): string | undefined => (name === 'authorization' ? 'Bearer a.b.c' : undefined)
      const forget = streams.admit({ header, credentialFields: () => 1, outgoing: { destroy } } as never)
      await vi.advanceTimersByTimeAsync(1000)
      expect(destroy).not.toHaveBeenCalled()
      isRevoked = true
      await vi.advanceTimersByTimeAsync(1000)
      expect(destroy).toHaveBeenCalledOnce()
      forget()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})
