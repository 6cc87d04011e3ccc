import { Counter, Gauge, type Registry } from 'prom-client'
import type { Edge } from '../server/edge.ts'
import type { ShedReason } from '../server/load-gate.ts'

/** What the edge refuses, and how much it has in hand. */
export function edgeMetrics({ guard, limits, gate }: Pick<Edge, 'guard' | 'limits' | 'gate'>, registry: Registry): void {
  labelled(registry, 'cbp_rate_limited_total', 'Requests refused by a rate limit, by policy', 'policy', () => {
    const { perIp, perClient } = limits.refused()
    return { 'per-ip': perIp, 'per-client': perClient }
  })
  labelled(registry, 'cbp_credentials_refused_total', 'Credentials that were refused, by kind', 'kind', () => {
    const { tokens, apiKeys, permissions } = guard.refused()
    return { token: tokens, 'api-key': apiKeys, permission: permissions }
  })
  labelled(registry, 'cbp_shed_total', 'Requests not taken on because this instance had too much to do, by reason', 'reason', () => {
    const shed: Readonly<Record<ShedReason, number>> = gate.counts().shed
    return shed
  })
  new Gauge({
    name: 'cbp_requests_in_hand',
    help: 'Requests in work, waiting for a place, held after a refusal, and streams that are open',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { inFlight, queued, held, streams } = gate.counts()
      this.set({ state: 'in-work' }, inFlight)
      this.set({ state: 'queued' }, queued)
      this.set({ state: 'held' }, held)
      this.set({ state: 'stream' }, streams)
    },
  })
}

function labelled(registry: Registry, name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset()
      for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count)
    },
  })
}
