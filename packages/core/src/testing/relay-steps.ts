import type { LeasedStream, Outbox, RelayReport, Sequence, Stream } from '../events/index.ts'
import { expectOk, type StoreHarness } from './store-units.ts'

export const leaseMs = 10_000

export async function lease({ outbox }: StoreHarness, limit = 10, eventLimit = 10): Promise<readonly LeasedStream[]> {
  return expectOk(outbox.lease({ owner: 'relay-1', limit, leaseMs, eventLimit }))
}

export async function leaseOne(store: StoreHarness): Promise<LeasedStream> {
  const [leased] = await lease(store, 1)
  if (leased === undefined) throw new Error('no stream could be leased')
  return leased
}

export function confirmed({ stream: of, fence }: LeasedStream, through: Sequence): RelayReport {
  return { stream: of, fence, kind: 'confirmed', through }
}

export function released({ stream: of, fence }: LeasedStream): RelayReport {
  return { stream: of, fence, kind: 'released' }
}

export function refused({ stream: of, fence }: LeasedStream, sequence: Sequence, retryAt: number): RelayReport {
  return { stream: of, fence, kind: 'refused', sequence, reason: 'no room', retryAt }
}

export function blocked({ stream: of, fence }: LeasedStream, sequence: Sequence): RelayReport {
  return { stream: of, fence, kind: 'blocked', sequence, reason: 'malformed' }
}

export async function record({ outbox }: StoreHarness, ...reports: readonly RelayReport[]): Promise<readonly RelayReport[]> {
  return expectOk(outbox.record(reports))
}

export async function confirmedOf(outbox: Outbox, of: Stream): Promise<Sequence | undefined> {
  return (await expectOk(outbox.stream(of)))?.confirmed
}
