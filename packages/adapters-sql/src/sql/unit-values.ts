import type { EventDraft, VersionDraft } from '@cbp/core'

/** A draft whose every value the tables take, and its JSON. */
export type PreparedVersion = Readonly<{ draft: VersionDraft; value: string }>
export type PreparedEvent = Readonly<{ draft: EventDraft; payload: string }>

/** Throws where the tables would refuse a value: types do not hold against what came from outside. */
export function prepareVersion(draft: VersionDraft): PreparedVersion {
  requireText(draft.component, 'component')
  requireText(draft.key, 'key')
  requireText(draft.scope, 'scope')
  requireInteger(draft.version, 'version')
  if (draft.op !== 'put' && draft.op !== 'delete') throw new TypeError('op must be put or delete')
  requireText(draft.hash, 'hash')
  requireText(draft.actor, 'actor')
  requireText(draft.reason, 'reason')
  requireText(draft.requestId, 'requestId')
  if (draft.restoredFrom !== null) requireInteger(draft.restoredFrom, 'restoredFrom')
  return { draft, value: jsonText(draft.value, 'value') }
}

export function prepareEvent(draft: EventDraft): PreparedEvent {
  requireText(draft.id, 'id of an event')
  requireText(draft.stream, 'stream')
  requireText(draft.event.type, 'type of an event')
  requireInteger(draft.occurredAt, 'occurredAt')
  if (draft.traceparent !== null) requireText(draft.traceparent, 'traceparent')
  return { draft, payload: jsonText(draft.event.payload, 'payload') }
}

/** The value is left out of the error on purpose: it may be a secret. */
export function requireText(value: unknown, name: string): void {
  if (typeof value !== 'string') throw new TypeError(`${name} must be text, not ${typeof value}`)
}

function requireInteger(value: unknown, name: string): void {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${name} must be an integer`)
}

function jsonText(value: unknown, name: string): string {
  const text: unknown = JSON.stringify(value)
  if (typeof text !== 'string') throw new TypeError(`${name} must be JSON`)
  return text
}
