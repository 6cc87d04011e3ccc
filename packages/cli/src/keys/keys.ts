import { type ApiKeyWithUse, reasonLimit, timestamp } from '@cbp/core'
import { apiKeyBody } from '@cbp/http/bodies'
import { err, ok, safeTry } from 'neverthrow'
import { confirm } from '../confirm.ts'
import { actorOf } from '../identity/actor.ts'
import { readOptionalId, readText } from '../inputs.ts'
import type { Failure } from '../output/failure.ts'
import { pageAnswer } from '../output/page-answer.ts'
import { plain } from '../output/style.ts'
import { readPages } from '../paging.ts'
import type { Action, Answer } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { keyAnswer, keyFields, readKeyId } from './key-answer.ts'

export type ListOptions = Readonly<{ limit: number; before?: string; all?: boolean }>

const columns = [
  { title: 'id' },
  { title: 'name' },
  { title: 'status' },
  { title: 'expires' },
  { title: 'last used' },
  { title: 'permissions' },
] as const

export const listKeys: Action<[], ListOptions> = async (session, { limit, before, all = false }) => {
  const start = readOptionalId('--before', before)
  if (start.isErr()) return err(start.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const request = { start: start.value, limit, all }
      const page = yield* await readPages(session, request, (position, count) => open.core.access.apiKeys(viewer, position, count))
      const listing = { older: 'keys', none: 'There are no API keys.', body: apiKeyBody, columns, row: rowOf }
      return ok<Answer, Failure>(pageAnswer(session, page, listing))
    }),
  )
}

function rowOf({ key, status, use }: ApiKeyWithUse): readonly string[] {
  const [current] = key.secrets
  const expires = current === undefined ? '' : timestamp(current.expiresAt)
  return [key.id, key.name, status, expires, use === null ? '' : timestamp(use.lastUsedAt), key.permissions.join(', ')]
}

export const showKey: Action<[id: string], unknown> = async (session, _options, id) => {
  const read = readKeyId(id)
  if (read.isErr()) return err(read.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer } = yield* await actorOf(session, open)
      const found = yield* settle(session, open.core.access.apiKey(viewer, read.value))
      return ok<Answer, Failure>({ json: apiKeyBody(found), text: (style) => keyFields(style, found, null) })
    }),
  )
}

export const revokeKey: Action<[id: string], Readonly<{ reason?: string }>> = async (session, options, id) => {
  const inputs = safeTry(function* () {
    const reason =
      options.reason === undefined ? null : yield* readText('--reason', options.reason, reasonLimit, 'say why, or leave it out')
    return ok({ id: yield* readKeyId(id), reason })
  })
  if (inputs.isErr()) return err(inputs.error)
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { viewer, caller } = yield* await actorOf(session, open)
      const { key } = yield* settle(session, open.core.access.apiKey(viewer, inputs.value.id))
      yield* await confirm(session, `Revoke the key "${plain(key.name)}" for good? Whoever uses it is refused within a minute.`)
      const ended = yield* settle(session, open.core.access.revokeApiKey({ ...inputs.value, viewer, caller }))
      return ok(keyAnswer(ended, 'revoked', 'The key is revoked.'))
    }),
  )
}
