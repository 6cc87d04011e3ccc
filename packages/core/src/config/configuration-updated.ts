import type { EventDraft, Stream } from '../events/index.ts'
import type { Caller } from '../kernel/caller.ts'
import type { Instant } from '../kernel/clock.ts'
import { timestamp } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Component } from './address.ts'
import type { VersionDraft } from './entry.ts'

/** The one CONFIG_UPDATED of a unit for `component`: addresses and versions, never values. */
export function configurationUpdated(
  id: Uuid,
  component: Component,
  drafts: readonly VersionDraft[],
  at: Readonly<{ occurredAt: Instant; caller: Caller }>,
): EventDraft {
  const changes = drafts.map(({ key, scope, version, op }) => ({ key, scope, version, op }))
  return {
    id,
    stream: configStream(component),
    event: {
      type: 'CONFIG_UPDATED',
      payload: { component, details: { changes }, severity: 'INFO', timestamp: timestamp(at.occurredAt) },
    },
    occurredAt: at.occurredAt,
    traceparent: at.caller.traceparent,
  }
}

export function configStream(component: Component): Stream {
  return `config-${component}` as Stream
}
