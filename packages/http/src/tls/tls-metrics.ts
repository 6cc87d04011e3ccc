import type { Instant } from '@cbp/core'
import { Gauge, type Registry } from 'prom-client'
import { counter } from '../metrics/instruments.ts'
import type { Tls } from './secure-server.ts'

export function tlsMetrics({ material, failures }: Pick<Tls, 'material' | 'failures'>, now: () => Instant, registry: Registry): void {
  new Gauge({
    name: 'cbp_tls_certificate_expiry_seconds',
    help: 'Seconds until the certificate of this instance expires',
    registers: [registry],
    collect() {
      this.set((material().expiresAt - now()) / 1000)
    },
  })
  counter(registry, 'cbp_tls_handshake_failures_total', 'Connections that ended before TLS was agreed on', failures)
}
