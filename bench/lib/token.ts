import { loadDevelopmentKey, mintToken } from '@cbp/http'
import { defaultAudience, developmentIssuer } from '@cbp/http/assembly'

/** A token that a development host over `dataDir` takes for the next hours. */
export async function tokenFor(dataDir: string, scope = 'config:read config:write'): Promise<string> {
  const key = await loadDevelopmentKey(dataDir)
  const { token } = await mintToken(key, {
    subject: 'bench',
    scope,
    expiresInSeconds: 6 * 3600,
    issuer: developmentIssuer,
    audience: defaultAudience,
  })
  return token
}
