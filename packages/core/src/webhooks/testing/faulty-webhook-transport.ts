import { type CallFault, type Faults, underFault } from '../../kernel/testing/faults.ts'
import type { WebhookTransport, WebhookUnanswered } from '../ports/webhook-transport.ts'

const unreachable: WebhookUnanswered = { kind: 'webhook-unanswered', cause: 'unreachable', reason: 'injected: the connection broke' }

/** Posts that are slow, never arrive, or arrive and lose their answer. */
export function faultyWebhookTransport(inner: WebhookTransport, faults: Faults<CallFault>): WebhookTransport {
  return {
    post: (request) =>
      underFault(faults.draw(['slow', 'unavailable-before', 'unavailable-after']), faults, unreachable, () => inner.post(request)),
    check: (url) => inner.check(url),
  }
}
