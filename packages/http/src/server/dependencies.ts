import type { Core, Log } from '@cbp/core'
import type { HealthProbes } from '../health/probes.ts'
import type { Edge } from './edge.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { RequestRecord } from './pipeline.ts'
import type { SecureHeaders } from './secure-headers.ts'

/** Everything that the HTTP interface is made of. */
export type AppDependencies = Readonly<{
  core: Core
  edge: Edge
  log: Log
  health: HealthProbes
  lifecycle: Lifecycle
  /** On every answer; absent: those of plain HTTP. */
  secureHeaders?: SecureHeaders
  /** The exposition of all metrics in the Prometheus text format. */
  exposeMetrics: () => Promise<string>
  onAnswered: (record: RequestRecord) => void
  /** Begins every request id made here; unlike that of any other instance. */
  instanceId: string
  version: string
  /** Wall clock, in milliseconds. */
  now: () => number
  /** Replaces the deadline of every request. */
  deadlineMs?: number
  /** Replaces how long a body may take to arrive. */
  bodyDeadlineMs?: number
  heartbeatMs?: number
}>
