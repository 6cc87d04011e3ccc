import type { Identity } from '@cbp/core'
import { loadDevelopmentKey, tokenVerifier } from '@cbp/http'
import { err, ok, type Result } from 'neverthrow'
import { settingsOf } from '../container.ts'
import { type Failure, refused, unavailable } from '../output/failure.ts'
import type { Session } from '../session.ts'

/** Verifies a token by the rules of the service that the settings describe. */
export async function identifyToken(session: Session, token: string): Promise<Result<Identity, Failure>> {
  const settings = settingsOf(session)
  if (settings.isErr()) return err(settings.error)
  const { dataDir, jwt } = settings.value
  const { issuer, audience, jwksUrl, secret } = jwt
  const keys =
    jwksUrl === null ? ({ kind: 'local', key: await loadDevelopmentKey(dataDir) } as const) : ({ kind: 'jwks', url: jwksUrl } as const)
  const verified = await tokenVerifier({ issuer, audience, keys, secret })(token)
  if (!('kind' in verified)) return ok(verified)
  if (verified.kind === 'keys-unavailable') {
    return err(unavailable(verified.kind, `The token in CBP_TOKEN cannot be checked: ${verified.reason}.`, 'Check CBP_JWT_JWKS_URL.'))
  }
  return err(refused(verified.kind, `The token in CBP_TOKEN is not acceptable: ${verified.reason}.`, 'Mint another, or unset CBP_TOKEN.'))
}
