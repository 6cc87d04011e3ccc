import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { developmentWebhookSecret } from './development-webhook-secret.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cbp-webhook-secret-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

describe('the webhook secret of development', () => {
  it('is made once, as plain text for its owner alone', async () => {
    const dataDir = join(await folder(), 'a', 'b')
    const secrets = await Promise.all(Array.from({ length: 10 }, () => developmentWebhookSecret(dataDir)))
    const path = join(dataDir, 'webhook-secret')
    expect(new Set([...secrets, await developmentWebhookSecret(dataDir), (await readFile(path, 'utf8')).trim()]).size).toBe(1)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('is one that Standard Webhooks takes', async () => {
    const secret = await developmentWebhookSecret(await folder())
    expect(new Webhook(secret).sign('msg_1', new Date(0), '{}')).toMatch(/^v1,/)
  })

  it.each(['', 'secret', 'whsec_', 'whsec_c2hvcnQ='])('says which file to delete when it holds %j', async (content) => {
    const dataDir = await folder()
    const path = join(dataDir, 'webhook-secret')
    await writeFile(path, content)
    await expect(developmentWebhookSecret(dataDir)).rejects.toThrow(`${path} holds no webhook secret; delete it`)
  })
})
