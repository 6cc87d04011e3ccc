import { join } from 'node:path'
import type { Log, PaymentService, UserDirectory, WebhookSecret, WebhookTransport } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import type { SandboxPaymentService } from '../clients/payment-service/sandbox/sandbox-payment-service.ts'
import { type Engines, openEngines } from './engines.ts'
import type { OpenedKeyRing } from './keys/key-ring-file.ts'
import { nodeMac, systemClock, systemRandom } from './platform/index.ts'
import type { Settings } from './settings.ts'

/** A resource that the settings name did not open; `reason` says how to mend it. */
export type ResourceUnavailable = Readonly<{ kind: 'resource-unavailable'; resource: 'store' | 'key ring' | 'sandbox'; reason: string }>

/** Where this process takes webhooks, once it listens; the sandbox sends its own there. */
export type CallbackAddress = { url: string | null }

/** What is opened before core is assembled, and closed after it. */
export type Resources = Engines &
  Readonly<{
    keyRing: OpenedKeyRing
    inboundSecrets: readonly WebhookSecret[]
    webhookTransport: WebhookTransport
    paymentService: PaymentService
    /** The Payment Service, where it is the sandbox. */
    sandbox: SandboxPaymentService | null
    callbackAddress: CallbackAddress
    userDirectory: UserDirectory
  }>

type Opened<T> = Promise<Result<T, ResourceUnavailable>>

/** Opens what the settings name; `opening` closes it again, last opened first. */
export async function openResources(settings: Settings, log: Log, opening: AsyncDisposableStack): Opened<Resources> {
  const engines = await openEngines(settings, log, opening)
  if (engines.isErr()) return err(engines.error)
  const secrets = await openSecrets(settings, log, opening)
  if (secrets.isErr()) return err(secrets.error)
  const { webhookTransport: openTransport } = await import('../clients/webhooks/webhook-transport.ts')
  const webhookTransport = openTransport({ allowDevelopmentTargets: settings.env === 'development' })
  opening.defer(() => webhookTransport.close())
  const callbackAddress: CallbackAddress = { url: null }
  const outside = { log, callbackAddress, webhookTransport, inboundSecrets: secrets.value.inboundSecrets }
  const payments = await openPaymentService(settings, outside, opening)
  const userDirectory = await openUserDirectory(settings, log, opening)
  return payments.map((opened) => ({ ...engines.value, ...secrets.value, ...opened, webhookTransport, callbackAddress, userDirectory }))
}

async function openSecrets(
  { dataDir, keyring, webhookSecrets }: Settings,
  log: Log,
  opening: AsyncDisposableStack,
): Opened<Pick<Resources, 'keyRing' | 'inboundSecrets'>> {
  const [{ openKeyRing }, { developmentWebhookSecret }] = await Promise.all([
    import('./keys/key-ring-file.ts'),
    import('./keys/development-webhook-secret.ts'),
  ])
  const opened = await openKeyRing(keyring ?? join(dataDir, 'keyring.json'), { generate: keyring === null, log })
  if (opened.isErr()) return err({ kind: 'resource-unavailable', resource: 'key ring', reason: opened.error.reason })
  opening.defer(() => opened.value.close())
  const inboundSecrets = webhookSecrets?.map(({ reveal }) => reveal()) ?? [await developmentWebhookSecret(dataDir)]
  return ok({ keyRing: opened.value, inboundSecrets })
}

type Outside = Pick<Resources, 'callbackAddress' | 'webhookTransport' | 'inboundSecrets'> & Readonly<{ log: Log }>

async function openPaymentService(
  { dataDir, paymentServiceUrl }: Settings,
  { log, callbackAddress, webhookTransport, inboundSecrets }: Outside,
  opening: AsyncDisposableStack,
): Opened<Pick<Resources, 'paymentService' | 'sandbox'>> {
  if (paymentServiceUrl !== null) {
    const { httpPaymentService } = await import('../clients/payment-service/http-payment-service.ts')
    const paymentService = httpPaymentService({ url: paymentServiceUrl, clock: systemClock, random: systemRandom, log })
    opening.defer(() => paymentService.close())
    return ok({ paymentService, sandbox: null })
  }
  const { openSandboxPaymentService } = await import('../clients/payment-service/sandbox/sandbox-payment-service.ts')
  const path = join(dataDir, 'payment-sandbox.sqlite')
  try {
    const sandbox = await openSandboxPaymentService({
      path,
      clock: systemClock,
      random: systemRandom,
      mac: nodeMac,
      secrets: () => inboundSecrets,
      callbackUrl: () => callbackAddress.url,
      post: webhookTransport.post,
      log,
    })
    opening.defer(() => sandbox.close())
    return ok({ paymentService: sandbox, sandbox })
  } catch (error) {
    return err({
      kind: 'resource-unavailable',
      resource: 'sandbox',
      reason: `${path}: ${error instanceof Error ? error.message : String(error)}`,
    })
  }
}

async function openUserDirectory({ userServiceUrl }: Settings, log: Log, opening: AsyncDisposableStack): Promise<UserDirectory> {
  if (userServiceUrl === null) return (await import('../clients/user-service/sandbox-user-directory.ts')).sandboxUserDirectory
  const { httpUserDirectory } = await import('../clients/user-service/http-user-directory.ts')
  const userDirectory = httpUserDirectory({ url: userServiceUrl, clock: systemClock, random: systemRandom, log })
  opening.defer(() => userDirectory.close())
  return userDirectory
}
