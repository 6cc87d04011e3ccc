import { type ApiKeyDetails, apiKeyLimits, type Identity, type JsonObject, type Permission, parseScope, type Scope } from '@cbp/core'
import { readAddressBlock } from '@cbp/http/bodies'
import { err, ok, Result, safeTry } from 'neverthrow'
import { readName } from '../config/inputs.ts'
import { readValue } from '../config/value-source.ts'
import type { OpenCore } from '../host.ts'
import { readText } from '../inputs.ts'
import { type Failure, usageFailure } from '../output/failure.ts'
import { plain } from '../output/style.ts'
import type { Action, Answer, Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { issuedAnswer, readKeyId } from './key-answer.ts'

export type CreateOptions = Readonly<{
  permissions: readonly Permission[]
  scope?: readonly string[]
  from?: readonly string[]
  days?: number
  to?: string
}>

export const createKey: Action<[name: string], CreateOptions> = async (session, options, name) => {
  const inputs = readDetails(name, options)
  if (inputs.isErr()) return err(inputs.error)
  const recipient = await readRecipient(session, options.to)
  if (recipient.isErr()) return err(recipient.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const grantor = yield* await grantorOf(session, open)
      const command = { details: inputs.value, grantor, recipient: recipient.value, caller: { ...open.caller, client: grantor.client } }
      const made = yield* settle(session, open.core.access.createApiKey(command))
      return ok(issuedAnswer(session, made, 'The key is made.'))
    }),
  )
}

export const rotateKey: Action<[id: string], Readonly<{ to?: string }>> = async (session, { to }, id) => {
  const read = readKeyId(id)
  if (read.isErr()) return err(read.error)
  const recipient = await readRecipient(session, to)
  if (recipient.isErr()) return err(recipient.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const grantor = yield* await grantorOf(session, open)
      const command = { id: read.value, grantor, recipient: recipient.value, caller: { ...open.caller, client: grantor.client } }
      const rotated = yield* settle(session, open.core.access.rotateApiKey(command))
      return ok(issuedAnswer(session, rotated, 'The key has a new secret; the ones before stay valid for the overlap.'))
    }),
  )
}

/** An operator grants anything; who acts by a token grants no more than the token allows. */
async function grantorOf(session: Session, { caller }: OpenCore): Promise<Result<Identity, Failure>> {
  const token = session.io.env['CBP_TOKEN'] ?? ''
  if (token !== '') return session.host.identify(session, token)
  const { client } = caller
  return ok({ client, userId: null, permissions: new Set(['admin']), configScopes: null, expiresAt: Number.MAX_SAFE_INTEGER })
}

function readDetails(name: string, { permissions, scope, from, days }: CreateOptions): Result<ApiKeyDetails, Failure> {
  return safeTry(function* () {
    return ok({
      name: yield* readKeyName(name),
      permissions,
      configScopes: scope === undefined ? null : yield* readScopes(scope),
      allowedFrom: from === undefined ? null : yield* readBlocks(from),
      lifetimeDays: days ?? null,
    })
  })
}

function readKeyName(text: string): Result<string, Failure> {
  const read = readText('name', text, apiKeyLimits.name, 'say what the key is for')
  return read.andThen((name) =>
    /\p{Cc}/u.test(name) ? err(usageFailure('invalid-name', 'A name takes one line, without control characters.')) : ok(name),
  )
}

function readScopes(given: readonly string[]): Result<readonly Scope[], Failure> {
  if (given.length > apiKeyLimits.configScopes) return err(tooMany('--scope', apiKeyLimits.configScopes))
  return Result.combine(given.map((each) => readName(parseScope(each))))
}

function readBlocks(given: readonly string[]): Result<readonly string[], Failure> {
  const texts = given.flatMap((each) => each.split(','))
  if (texts.length > apiKeyLimits.allowedFrom) return err(tooMany('--from', apiKeyLimits.allowedFrom))
  return Result.combine(
    texts.map((text) => {
      const block = readAddressBlock(text.trim())
      if (block !== null) return ok(block)
      return err(
        usageFailure('invalid-address-block', `--from takes an address or a CIDR block such as 192.0.2.0/24, not "${plain(text)}".`),
      )
    }),
  )
}

function tooMany(name: string, limit: number): Failure {
  return usageFailure('too-many', `${name} takes at most ${limit}.`)
}

/** A public key, which is no secret; what it is not is never printed. */
async function readRecipient(session: Session, to: string | undefined): Promise<Result<JsonObject | null, Failure>> {
  if (to === undefined) return ok(null)
  const read = to === '-' ? await readValue(session, to, {}) : await readValue(session, undefined, { file: to })
  if (read.isErr()) {
    // Of what is no JSON the parser would quote a piece, and it may be a private key.
    const why = read.error.code === 'unreadable-file' ? read.error.detail : 'What is there cannot be read as JSON.'
    return err(usageFailure('unreadable-recipient', `--to takes a file with a public key as a JWK. ${why}`))
  }
  const { value } = read
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return err(usageFailure('unreadable-recipient', '--to takes one public key as a JWK, a JSON object.'))
  }
  return ok(value as JsonObject)
}
