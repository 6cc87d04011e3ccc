import type { AuditService, AuthenticateApiKey, RateLimiter, SignedMessage } from '@cbp/core'
import { addressFinder, type FindAddress, isWithin } from '../access/client-address.ts'
import { authenticator } from '../access/credentials.ts'
import type { VerifyToken } from '../access/verify-token.ts'
import type { PartitionOf } from './connections.ts'
import { type Guard, guard } from './guard.ts'
import type { EdgeSettings } from './live-settings.ts'
import { type LoadGate, loadGate } from './load-gate.ts'
import { type OpenStreams, openStreams } from './open-streams.ts'
import { type RateLimits, rateLimits } from './rate-limits.ts'
import type { Turns } from './turns.ts'

export type EdgeParts = Readonly<{
  verifyToken: VerifyToken
  authenticateApiKey: AuthenticateApiKey
  /** Whether the Payment Service has signed this. */
  isSigned: (message: SignedMessage) => boolean
  limiter: RateLimiter
  settings: () => EdgeSettings
  note: AuditService['note']
  /** CIDR blocks of the proxies that are believed. */
  trustProxy: readonly string[]
  /** Replaces the measuring of the event loop. */
  turns?: Turns
}>

/** What stands between a request and its endpoint. */
export type Edge = Pick<EdgeParts, 'note' | 'isSigned'> &
  Readonly<{
    /** `null` for trusted proxies. */
    partitionOf: PartitionOf
    guard: Guard
    limits: RateLimits
    gate: LoadGate
    streams: OpenStreams
    findAddress: FindAddress
  }>

export function edge({ verifyToken, authenticateApiKey, isSigned, limiter, settings, note, trustProxy, turns }: EdgeParts): Edge {
  const findAddress = addressFinder(trustProxy)
  const keeper = guard(authenticator(verifyToken, authenticateApiKey), note)
  return {
    guard: keeper,
    limits: rateLimits({ limiter, settings, note }),
    gate: loadGate({ limits: () => settings().load, ...(turns === undefined ? {} : { turns }) }),
    streams: openStreams(keeper),
    findAddress,
    partitionOf: (remote) => {
      const address = findAddress(remote, undefined)
      return isWithin(address, trustProxy) ? null : address.partition
    },
    isSigned,
    note,
  }
}
