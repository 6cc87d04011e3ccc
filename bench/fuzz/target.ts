import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Child, startHost } from '../lib/child.ts'
import { tokenFor } from '../lib/token.ts'
import { repository } from '../lib/workspace.ts'
import type { Target } from './campaign.ts'
import type { Forbidden } from './oracle.ts'

const everything = 'admin'

/** A service of its own over SQLite in `dataDir`, and what it must keep to itself. */
export async function startTarget(dataDir: string): Promise<Readonly<{ host: Child; target: Target; log: string }>> {
  const log = join(dataDir, 'stderr.txt')
  const host = await startHost(dataDir, { log })
  const token = await tokenFor(dataDir, everything)
  const forbidden: readonly Forbidden[] = [
    { what: 'a bearer token', pattern: token },
    { what: 'the signature of a token', pattern: token.split('.')[2] ?? token },
    { what: 'where its data is', pattern: dataDir },
    { what: 'where it is installed', pattern: repository },
    { what: 'whose machine it is', pattern: `${homedir()}/` },
    ...secretsIn(dataDir),
  ]
  return { host, target: { port: host.port, url: host.url, authorization: `Bearer ${token}`, sign: signer(dataDir), forbidden }, log }
}

/** Every long word of the files of keys. */
function secretsIn(dataDir: string): readonly Forbidden[] {
  const files = readdirSync(dataDir).filter((name) => /key|secret/.test(name))
  return files.flatMap((file) => {
    const words = readFileSync(join(dataDir, file), 'utf8').match(/[\w+/=-]{32,}/g) ?? []
    return words
      .filter((word) => !word.startsWith('development-'))
      .map((word) => ({ what: `a secret of ${file}`, pattern: word.replace('whsec_', '') }))
  })
}

/** Standard Webhooks, with the secret that development makes for itself. */
function signer(dataDir: string): Target['sign'] {
  const secret = Buffer.from(readFileSync(join(dataDir, 'webhook-secret'), 'utf8').trim().replace('whsec_', ''), 'base64')
  let count = 0
  return (body) => {
    count += 1
    const [id, timestamp] = [`msg_${count}`, String(Math.floor(Date.now() / 1000))]
    const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64')
    return [
      ['webhook-id', id],
      ['webhook-timestamp', timestamp],
      ['webhook-signature', `v1,${mac}`],
    ]
  }
}
