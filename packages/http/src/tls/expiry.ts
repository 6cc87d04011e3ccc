import { type AlertOnce, type CancelSignal, type Clock, type Instant, type Log, type Severity, timestamp } from '@cbp/core'
import type { HealthCheck } from '../health/probes.ts'
import { certificateFacts, type Tls } from './secure-server.ts'

const dayMs = 86_400_000

/** How long before its end a certificate is told of, and how urgently. */
const steps: readonly Readonly<{ days: number; severity: Severity }>[] = [
  { days: 30, severity: 'WARNING' },
  { days: 14, severity: 'WARNING' },
  { days: 7, severity: 'ERROR' },
  { days: 1, severity: 'ERROR' },
]

const healthWarnsFromDays = 14
const lookEveryMs = 600_000
const componentOfAlerts = 'security'

/** The step that a certificate has reached, from 1; 0 when its end is far. */
export function expiryStep(expiresAt: Instant, now: Instant): number {
  return steps.filter(({ days }) => expiresAt - now <= days * dayMs).length
}

type Dependencies = Readonly<{ tls: Pick<Tls, 'material'>; alertOnce: AlertOnce; clock: Clock; log: Log }>

/** Background work: tells of a certificate that comes to its end, each step once, whichever instance sees it first. */
export function expiryAlerts({ tls, alertOnce, clock, log }: Dependencies): (cancel: CancelSignal) => Promise<void> {
  /** What this instance knows to have been told. */
  let told = ''
  const look = async (): Promise<void> => {
    const material = tls.material()
    const { fingerprint, expiresAt } = material
    const now = clock.now()
    const step = expiryStep(expiresAt, now)
    const reached = steps[step - 1]
    if (reached === undefined || told === `${fingerprint} ${step}`) return
    const daysLeft = Math.floor((expiresAt - now) / dayMs)
    const answer = await alertOnce({
      condition: `certificate-${fingerprint}`,
      step,
      component: componentOfAlerts,
      severity: reached.severity,
      details: { subject: 'certificate-expires', fingerprint, expiresAt: timestamp(expiresAt), daysLeft },
    })
    // What could not be told is told at the next look.
    if (answer.isErr()) return
    told = `${fingerprint} ${step}`
    log.write('warn', 'the certificate expires soon', { ...certificateFacts(material), daysLeft })
  }
  return async (cancel) => {
    while (!cancel.aborted) {
      // What is no more than a warning must not end the service.
      await look().catch((defect: unknown) => log.write('error', 'an alert failed by a defect', { error: String(defect) }))
      await clock.sleep(lookEveryMs, cancel)
    }
  }
}

/** Warns from two weeks before the end, and fails after it. */
export function expiryProbe({ material }: Pick<Tls, 'material'>, now: () => Instant): () => Promise<HealthCheck> {
  return async () => {
    const left = material().expiresAt - now()
    const days = Math.floor(Math.abs(left) / dayMs)
    const status = left <= 0 ? 'fail' : left <= healthWarnsFromDays * dayMs ? 'warn' : 'pass'
    const count = days === 1 ? '1 day' : `${days} days`
    const output = left <= 0 ? `the certificate expired ${count} ago` : `the certificate is valid for ${count} more`
    return { status, output, engine: 'tls', durationMs: 0 }
  }
}
