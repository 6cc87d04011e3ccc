import { type Core, createCore } from '@cbp/core'
import { fakeIds, fakePorts } from '@cbp/core/testing'
import type { MssqlStore } from '../../src/index.ts'
import { clock } from '../plain-store.ts'

/** Core over a store of SQL Server, with the real time; everything else is in memory. */
export function coreOver(store: MssqlStore): Core {
  return createCore(fakePorts({ ...store, clock }))
}

const ids = fakeIds({ clock })

const caller = { client: 'https://issuer.example|shop', requestId: 'request-1', traceparent: null } as const

/** Use cases as a host calls them; each takes a number of its own. */
export function useCases(core: Core) {
  const details = (reference: string | null) =>
    ({ amount: 1999, currency: 'EUR', payee: { id: 'p', name: 'Power & Light' }, userId: 'user', reference, metadata: {} }) as never
  const answerOf = () => '{"created":true}'
  return {
    put: async (key: string, version = 0) =>
      (
        await core.config.put({
          component: 'payments' as never,
          key: key as never,
          scope: '/' as never,
          precondition: version === 0 ? { kind: 'absent' } : { kind: 'version', version },
          reason: 'test',
          caller,
          value: { limit: version },
        })
      )._unsafeUnwrap(),
    create: async (reference: string | null) =>
      (await core.payments.create({ details: details(reference), caller, idempotency: { key: ids.next(), answerOf } }))._unsafeUnwrap()
        .value ?? fail(),
    process: async (id: string) =>
      (
        await core.payments.process({
          id: id as never,
          viewer: { client: caller.client, seesAll: false },
          caller,
          idempotency: { key: ids.next(), answerOf },
        })
      )._unsafeUnwrap(),
    cancel: async (id: string) =>
      (
        await core.payments.cancel({
          id: id as never,
          viewer: { client: caller.client, seesAll: false },
          caller,
          match: 'any',
          reason: null,
        })
      )._unsafeUnwrap(),
  }
}

function fail(): never {
  throw new Error('the payment was made before')
}
