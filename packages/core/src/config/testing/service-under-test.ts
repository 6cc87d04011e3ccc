import type fc from 'fast-check'
import type { Result } from 'neverthrow'
import type { Core, CoreLimits } from '../../create-core.ts'
import { createCore } from '../../create-core.ts'
import type { Caller } from '../../kernel/caller.ts'
import { cancelSource } from '../../kernel/cancel.ts'
import type { JsonValue } from '../../kernel/json.ts'
import type { Ports } from '../../ports.ts'
import { type FakePorts, fakePorts } from '../../testing/fake-ports.ts'
import type { Address, Component, ConfigKey, Scope } from '../address.ts'
import type { EntryVersion } from '../entry.ts'
import type { Precondition } from '../precondition.ts'
import type { WriteError } from '../write-entry.ts'

export const caller: Caller = { client: 'issuer|tester', requestId: 'request-1', traceparent: null }
export const absent: Precondition = { kind: 'absent' }

/** `component/key` and a scope, `/` unless given. */
export function address(name: string, scope = '/'): Address {
  const [component, key] = name.split('/')
  return { component: component as Component, key: key as ConfigKey, scope: scope as Scope }
}

export type ServiceUnderTest = Readonly<{
  core: Core
  ports: FakePorts
  put: (at: Address, value: JsonValue, precondition?: Precondition) => Promise<Result<EntryVersion, WriteError>>
  /** Starts the background work; returns how to stop it. */
  run: () => () => Promise<void>
}>

/** The core over fakes, or over ports made of them. */
export function serviceUnderTest(
  portsFrom: (fakes: FakePorts) => Ports = (fakes) => fakes,
  limits: Partial<CoreLimits> = {},
): ServiceUnderTest {
  const ports = fakePorts()
  const core = createCore(portsFrom(ports), { limits })
  return {
    core,
    ports,
    put: async (at, value, precondition = absent) => core.config.put({ ...at, value, precondition, reason: 'test', caller }),
    run: () => {
      const { signal, cancel } = cancelSource()
      const running = core.run(signal)
      return async () => {
        cancel()
        await ports.clock.advance(60_000)
        await running
      }
    },
  }
}

/** The answer, while the scheduler decides what comes back when and time passes for whoever waits to try again. */
export async function raced<T>(scheduler: fc.Scheduler, { clock }: FakePorts, answer: Promise<T>): Promise<T> {
  let pending = true
  void answer.finally(() => {
    pending = false
  })
  while (pending) {
    while (scheduler.count() > 0) await scheduler.waitOne()
    await clock.advance(10)
  }
  return answer
}

export function okOf<T, E>(result: Result<T, E>): T {
  if (result.isErr()) throw new Error(`expected a success, got ${JSON.stringify(result.error)}`)
  return result.value
}

export function errorOf<T, E>(result: Result<T, E>): E {
  if (result.isOk()) throw new Error(`expected an error, got ${JSON.stringify(result.value)}`)
  return result.error
}
