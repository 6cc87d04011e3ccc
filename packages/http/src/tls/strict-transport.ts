import type { Settings } from '../assembly/index.ts'

const year = 'max-age=31536000'
/** Browsers keep it by host name, whatever the port: a year of it on `localhost` would break what else is developed there. */
const fiveMinutes = 'max-age=300'

/**
 * Strict-Transport-Security (RFC 6797) where clients reach this service by TLS: its own, or that of a trusted proxy in
 * production. Over plain HTTP nobody heeds it. Other names of the domain are not this service's to speak for.
 */
export function strictTransportSecurity({ env, tls, trustProxy }: Pick<Settings, 'env' | 'tls' | 'trustProxy'>): string | null {
  if (tls !== null) return env === 'development' ? fiveMinutes : year
  return env === 'production' && trustProxy.length > 0 ? year : null
}
