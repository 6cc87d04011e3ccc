import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller, Identity } from '@cbp/core'

/** A whole body, or why there is none. */
export type BodyRead = Uint8Array | 'too-large' | 'incomplete' | 'too-slow'

/** One request as endpoints see it, whatever carried it here. */
export type Exchange = {
  readonly method: string
  readonly path: string
  /** Without the question mark; empty when there is none. */
  readonly query: string
  readonly params: Readonly<Record<string, string>>
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined
  readonly readBody: (limitBytes: number) => Promise<BodyRead>
  readonly requestId: string
  /** W3C Trace Context, when the caller sent a valid one. */
  readonly traceparent: string | null
  /** The node response behind it; `null` when the app is called without a server, as tests do. */
  readonly outgoing: ServerResponse | null
  identity: Identity | null
}

export type HostBindings = Readonly<{ incoming?: IncomingMessage; outgoing?: ServerResponse }>

export function callerOf({ identity, requestId, traceparent }: Exchange): Caller {
  return { client: identity?.client ?? 'anonymous', requestId, traceparent }
}

/** The identity of an exchange whose endpoint asks for a permission. */
export function identityIn({ identity }: Exchange): Identity {
  if (identity === null) throw new Error('an endpoint without a permission asked for an identity')
  return identity
}

const requestIdForm = /^[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}$/
const traceparentForm = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/

/** Keeps the caller's id where it has a harmless form, so that one id runs through all services. */
export function requestIds(prefix: string): (given: string | undefined) => string {
  let count = 0
  return (given) => {
    if (given !== undefined && requestIdForm.test(given)) return given
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}

/** Trace Context, level 1: an invalid field is as good as none. */
export function readTraceparent(given: string | undefined): string | null {
  if (given === undefined) return null
  const parts = traceparentForm.exec(given)
  if (parts === null || given.startsWith('ff') || /^0+$/.test(parts[1] ?? '') || /^0+$/.test(parts[2] ?? '')) return null
  return given
}
