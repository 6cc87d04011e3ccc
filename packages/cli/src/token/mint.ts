import { parseScope, type Scope } from '@cbp/core'
import { loadDevelopmentKey, mintToken } from '@cbp/http'
import { err, ok, Result } from 'neverthrow'
import { readName } from '../config/inputs.ts'
import { settingsOf } from '../container.ts'
import { type Failure, refused } from '../output/failure.ts'
import type { Action, Answer } from '../session.ts'

export type MintOptions = Readonly<{ sub: string; scope: string; configScope?: readonly string[]; expires: number }>

export const mintDevelopmentToken: Action<[], MintOptions> = async (session, { sub, scope, configScope, expires }) => {
  const settings = settingsOf(session)
  if (settings.isErr()) return err(settings.error)
  const { env, dataDir, jwt } = settings.value
  if (env !== 'development') return err(developmentOnly(env))
  const configScopes = readScopes(configScope)
  if (configScopes.isErr()) return err(configScopes.error)
  const key = await loadDevelopmentKey(dataDir)
  const minted = await mintToken(key, {
    subject: sub,
    scope,
    configScopes: configScopes.value,
    expiresInSeconds: expires,
    issuer: jwt.issuer,
    audience: jwt.audience,
  })
  return ok<Answer, Failure>({ json: minted, text: () => `${minted.token}\n` })
}

function readScopes(scopes: readonly string[] | undefined): Result<readonly Scope[] | null, Failure> {
  if (scopes === undefined) return ok(null)
  return Result.combine(scopes.map((scope) => readName(parseScope(scope))))
}

function developmentOnly(env: string): Failure {
  return refused(
    'development-only',
    `Tokens are minted in development only, and CBP_ENV is ${env}.`,
    'Get a token from the issuer that CBP_JWT_ISSUER names.',
  )
}
