import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Caller, Identity } from '@cbp/core'
import type { ClientAddress, FindAddress } from '../access/client-address.ts'
import { peerCertificateThumbprint } from '../tls/peer-certificate.ts'

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
  readonly address: ClientAddress
  /** SHA-256 of the connection's client certificate, base64url; `null` where there is none. */
  readonly certificate: () => string | null
  /** How many Authorization and x-api-key fields there are; the table of fields has one of each at most. */
  readonly credentialFields: () => number
  identity: Identity | null
  /** What is left of the rate limits, as the RateLimit field has it; `null` where none was counted. */
  rateLimit: string | null
}

/** What is made once and used for every exchange. */
export type ExchangeParts = Readonly<{
  requestIdFor: (given: string | undefined) => string
  /** Puts a deadline on the reading of a body. */
  inTime: (reading: Promise<BodyRead>) => Promise<BodyRead>
  findAddress: FindAddress
}>

export type HostBindings = Readonly<{ incoming?: IncomingMessage; outgoing?: ServerResponse }>

/** `incoming` is absent when the app is called without a server, as tests do. */
export function addressOf(incoming: IncomingMessage | undefined, findAddress: FindAddress): ClientAddress {
  if (incoming === undefined) return findAddress(undefined, undefined)
  return findAddress(incoming.socket.remoteAddress, incoming.headers['x-forwarded-for'] as string | undefined)
}

/** Keeps the socket alone, because a stream keeps this, and should keep nothing else of its request. */
export function certificateOf(incoming: IncomingMessage | undefined): () => string | null {
  return thumbprintOf(incoming?.socket)
}

function thumbprintOf(socket: Socket | undefined): () => string | null {
  return () => peerCertificateThumbprint(socket)
}

/** How many fields carry credentials. The length of a name tells nearly all of them apart, and costs nothing. */
export function countCredentials(incoming: IncomingMessage | undefined): number {
  const raw = incoming?.rawHeaders ?? []
  let count = 0
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string
    if (name.length === 13 && name.toLowerCase() === 'authorization') count += 1
    else if (name.length === 9 && name.toLowerCase() === 'x-api-key') count += 1
  }
  return count
}

/** How many fields of this name there are, which is in lower case. */
export function countFields({ rawHeaders }: IncomingMessage, wanted: string): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === wanted.length && name.toLowerCase() === wanted) count += 1
  }
  return count
}

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
