import fc from 'fast-check'
import { errAsync } from 'neverthrow'
import { describe, expect, it } from 'vitest'
import { type Core, createCore } from '../../create-core.ts'
import { cancelSource } from '../../kernel/cancel.ts'
import type { Clock } from '../../kernel/clock.ts'
import { storeUnavailable } from '../../kernel/failures.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { Topic } from '../../kernel/signals.ts'
import { fakeEpochStart } from '../../kernel/testing/fake-clock.ts'
import { propertySeed, propertyTimeoutMs } from '../../kernel/testing/property.ts'
import { fakePorts } from '../../testing/fake-ports.ts'
import type { StorePorts } from '../../testing/fake-store/fake-store.ts'
import { administrator, anywhere, caller, dayMs, details } from './access-under-test.ts'

const secondMs = 1000
const instances = 2
const validAtMost = 5

type Given = { readonly text: string; readonly madeAt: number; expiresAt: number }
type Lineage = { readonly id: Uuid; readonly secrets: Given[]; revokedAt: number | null }
type Model = { now: number; readonly lineages: Lineage[]; readonly away: boolean[] }
type Instance = Readonly<{ core: Core; stop: () => void }>
type Real = { now: number; signalsLost: boolean; readonly away: boolean[]; readonly running: Instance[]; boot: (index: number) => void }
type Command = fc.AsyncCommand<Model, Real>

/**
 * L18 over one store and two instances, each with a cache of its own, of which any may hear nothing of the others, lose
 * its store for a while, or start anew.
 *
 * @param open an empty store, and how to close it
 */
export function apiKeyLaws(open: () => Promise<StorePorts & Readonly<{ close: () => Promise<void> }>>, numRuns: number): void {
  describe('the laws of API keys', () => {
    it(
      'L18: rotation never leaves zero valid secrets, and a revoked key is dead everywhere within 60 s',
      () => {
        const property = fc.asyncProperty(
          fc.boolean(),
          fc.commands(anyCommands, { maxCommands: 60, size: 'max' }),
          async (areSignalsLost, commands) => {
            const store = await open()
            const real = system(store)
            real.signalsLost = areSignalsLost
            try {
              await fc.asyncModelRun(() => ({ model: { now: real.now, lineages: [], away: [false, false] }, real }), commands)
            } finally {
              for (const { stop } of real.running) stop()
              await store.close()
            }
          },
        )
        return fc.assert(property, { seed: propertySeed(), numRuns })
      },
      propertyTimeoutMs,
    )
  })
}

function system(store: StorePorts): Real {
  const listeners = Array.from({ length: instances }, () => new Set<() => void>())
  const ports = fakePorts({ ...store, clock: clockOf(() => real.now) })
  const real: Real = {
    now: fakeEpochStart,
    signalsLost: false,
    away: [false, false],
    running: [],
    boot: (index) => {
      real.running[index]?.stop()
      listeners[index]?.clear()
      const apiKey: StorePorts['apiKeyStore']['apiKey'] = (id) =>
        real.away[index] === true ? errAsync(storeUnavailable('away')) : store.apiKeyStore.apiKey(id)
      const signals = {
        raise: (topic: Topic): void => {
          if (topic === 'access' && !real.signalsLost) for (const each of listeners.flatMap((own) => [...own])) each()
        },
        listen: (topic: Topic, listener: () => void): (() => void) => {
          if (topic === 'access') listeners[index]?.add(listener)
          return () => listeners[index]?.delete(listener)
        },
      }
      const core = createCore({ ...ports, apiKeyStore: { ...store.apiKeyStore, apiKey }, signals })
      const { signal, cancel } = cancelSource()
      void core.access.watchKeys(signal)
      real.running[index] = { core, stop: cancel }
    },
  }
  for (let index = 0; index < instances; index += 1) real.boot(index)
  return real
}

/** Time that commands move. Short waits, between tries, are over at once; long ones last until they are cancelled. */
function clockOf(now: () => number): Clock {
  return {
    now,
    sleep: (ms, cancel) =>
      ms < secondMs ? Promise.resolve() : new Promise((resolve) => cancel?.addEventListener('abort', resolve, { once: true })),
  }
}

function pick<T>(from: readonly T[], index: number): T {
  const found = from[index % from.length]
  if (found === undefined) throw new Error('there is nothing to pick from')
  return found
}

function accessOf({ running }: Real, index: number): Core['access'] {
  return pick(running, index).core.access
}

function validOf({ secrets }: Lineage, now: number): readonly Given[] {
  return secrets.filter(({ expiresAt }) => expiresAt > now)
}

function textOf({ delivery }: Readonly<{ delivery: Readonly<{ kind: string }> }>): string {
  return (delivery as unknown as { text: { reveal: () => string } }).text.reveal()
}

function create(instance: number): Command {
  return {
    check: ({ lineages }) => lineages.length < 2,
    toString: () => `create at ${instance}`,
    async run(model, real) {
      const made = (
        await accessOf(real, instance).createApiKey({ details, grantor: administrator, recipient: null, caller })
      )._unsafeUnwrap()
      model.lineages.push({
        id: made.key.id,
        secrets: [{ text: textOf(made), madeAt: model.now, expiresAt: model.now + 90 * dayMs }],
        revokedAt: null,
      })
    },
  }
}

function rotate(instance: number, key: number): Command {
  return {
    check: ({ lineages }) => lineages.length > 0,
    toString: () => `rotate ${key} at ${instance}`,
    async run(model, real) {
      const lineage = pick(model.lineages, key)
      const valid = validOf(lineage, model.now)
      const rotated = await accessOf(real, instance).rotateApiKey({ id: lineage.id, grantor: administrator, recipient: null, caller })
      const refusal = lineage.revokedAt !== null ? 'api-key-revoked' : valid.length >= validAtMost ? 'too-many-secrets' : null
      expect(rotated.isErr() ? rotated.error.kind : null).toBe(refusal)
      if (rotated.isErr()) return
      for (const each of lineage.secrets) each.expiresAt = Math.min(each.expiresAt, model.now + 7 * dayMs)
      lineage.secrets.push({ text: textOf(rotated.value), madeAt: model.now, expiresAt: model.now + 90 * dayMs })
    },
  }
}

function revoke(instance: number, key: number): Command {
  return {
    check: ({ lineages }) => lineages.length > 0,
    toString: () => `revoke ${key} at ${instance}`,
    async run(model, real) {
      const lineage = pick(model.lineages, key)
      const viewer = { client: administrator.client, seesAll: true }
      expect((await accessOf(real, instance).revokeApiKey({ id: lineage.id, viewer, reason: null, caller })).isOk()).toBe(true)
      lineage.revokedAt ??= model.now
    },
  }
}

function use(instance: number, key: number, secret: number): Command {
  return {
    check: ({ lineages }) => lineages.length > 0,
    toString: () => `use secret ${secret} of ${key} at ${instance}`,
    async run({ now, lineages, away }, real) {
      const lineage = pick(lineages, key)
      // The newest first: they are what is in doubt.
      const given = pick(lineage.secrets.toReversed(), secret)
      const outcome = await accessOf(real, instance).authenticateApiKey(given.text, anywhere)
      const kind = 'kind' in outcome ? outcome.kind : 'admitted'
      const isDead = given.expiresAt <= now || (lineage.revokedAt !== null && now - lineage.revokedAt >= 60 * secondMs)
      if (isDead) expect(kind).not.toBe('admitted')
      // A row that was read within the last second may not know the newest secret yet.
      const isKnown = lineage.revokedAt === null && given.expiresAt > now && now - given.madeAt >= secondMs
      if (isKnown && away[instance] === false) expect(kind).toBe('admitted')
      if (isKnown) expect(kind).not.toBe('api-key-refused')
    },
  }
}

function pass(ms: number): Command {
  return {
    check: () => true,
    toString: () => `${ms} ms pass`,
    async run(model, real) {
      model.now += ms
      real.now = model.now
    },
  }
}

function disturb(what: 'crash' | 'store' | 'signals', instance: number, isOn: boolean): Command {
  return {
    check: () => true,
    toString: () => `${what} of ${instance}: ${isOn}`,
    async run(model, real) {
      if (what === 'crash') real.boot(instance)
      if (what === 'signals') real.signalsLost = isOn
      if (what !== 'store') return
      model.away[instance] = isOn
      real.away[instance] = isOn
    },
  }
}

const anyInstance = fc.nat({ max: instances - 1 })
const anyIndex = fc.nat({ max: 3 })
const anyUse = fc.tuple(anyInstance, anyIndex, anyIndex).map(([instance, key, secret]) => use(instance, key, secret))
const someSeconds = fc.constantFrom(1, 2, 2, 5, 5, 14, 20, 45, 59).map((seconds) => pass(seconds * secondMs))

const anyCommands: fc.Arbitrary<Command>[] = [
  anyInstance.map(create),
  fc.tuple(anyInstance, anyIndex).map(([instance, key]) => rotate(instance, key)),
  fc.tuple(anyInstance, anyIndex).map(([instance, key]) => revoke(instance, key)),
  ...[anyUse, anyUse, anyUse, anyUse, someSeconds, someSeconds, someSeconds],
  fc.constantFrom(1, 6, 7, 84).map((days) => pass(days * dayMs)),
  fc
    .tuple(fc.constantFrom('crash' as const, 'store' as const, 'store' as const, 'signals' as const), anyInstance, fc.boolean())
    .map(([what, instance, isOn]) => disturb(what, instance, isOn)),
]
