import { join } from 'node:path'
import { parseWebhookSecret, type WebhookSecret } from '@cbp/core'
import { nodeSecretSource } from '../platform/node-secret-source.ts'
import { keepFirst, readIfThere } from './kept-file.ts'

/** The secret of inbound webhooks that development makes for itself and keeps, as plain text, in its data directory. */
export async function developmentWebhookSecret(dataDir: string): Promise<WebhookSecret> {
  const path = join(dataDir, 'webhook-secret')
  const text = (await readIfThere(path)) ?? (await keepFirst(path, `whsec_${nodeSecretSource.base64(32)}\n`))
  return parseWebhookSecret(text.trim()).match(
    (secret) => secret,
    () => {
      throw new Error(`${path} holds no webhook secret; delete it, and another is made. Whoever signs has to be told the new one.`)
    },
  )
}
