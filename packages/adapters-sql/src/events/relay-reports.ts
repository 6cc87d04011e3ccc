import type { Instant, RelayReport, Sequence, Stream } from '@cbp/core'

/** Where a relay stands on one stream. */
export type LeaseState = Readonly<{
  stream: Stream
  fence: number
  /** `null` once the lease was given back. */
  owner: string | null
  expiresAt: Instant
  confirmed: Sequence
  /** The newest event of the stream; nothing beyond it can be confirmed. */
  last: Sequence
  refusals: number
  /** When the stream may be leased next; `null` while it is blocked. */
  availableAt: Instant | null
  blocked: Readonly<{ sequence: Sequence; reason: string; since: Instant }> | null
}>

export type ReportOutcome = Readonly<{ states: readonly LeaseState[]; refused: readonly RelayReport[] }>

/** Applies reports in their order (L14); answers the states that changed and the reports that the fence refused. */
export function applyReports(before: readonly LeaseState[], reports: readonly RelayReport[], now: Instant): ReportOutcome {
  const states = new Map(before.map((state) => [state.stream, state]))
  const changed = new Set<Stream>()
  const refused: RelayReport[] = []
  for (const report of reports) {
    const state = states.get(report.stream)
    if (state === undefined || state.fence !== report.fence || state.owner === null) {
      refused.push(report)
      continue
    }
    states.set(report.stream, applyReport(state, report, now))
    changed.add(report.stream)
  }
  return { states: [...states.values()].filter(({ stream }) => changed.has(stream)), refused }
}

function applyReport(state: LeaseState, report: RelayReport, now: Instant): LeaseState {
  if (report.kind === 'confirmed') {
    const through = Math.min(report.through, state.last)
    return through <= state.confirmed ? state : { ...state, confirmed: through, refusals: 0 }
  }
  const ended: LeaseState = { ...state, owner: null, expiresAt: now, availableAt: now }
  // A report about another event than the next one is about a past that a confirmation has overtaken, or about nothing.
  const next = state.confirmed < state.last ? state.confirmed + 1 : null
  if (report.kind === 'released' || report.sequence !== next) return ended
  if (report.kind === 'refused') return { ...ended, refusals: state.refusals + 1, availableAt: report.retryAt }
  return { ...ended, availableAt: null, blocked: { sequence: report.sequence, reason: report.reason, since: now } }
}
