import { faulty, type Problem, problem } from '../problems/problem.ts'
import type { Exchange } from '../server/exchange.ts'

const keyForm = /^[\x21-\x7e]{1,255}$/
/** A string of structured fields (RFC 9651, 3.3.3), as the draft of Idempotency-Key has it. */
const quotedForm = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/

/** Reads Idempotency-Key, bare or quoted; both spell the same key. */
export function readIdempotencyKey(exchange: Exchange): Readonly<{ key: string }> | Problem {
  const field = exchange.header('idempotency-key')
  if (field === undefined) return problem('idempotency-key-required', 'The request carries no Idempotency-Key.')
  const trimmed = field.trim()
  const key = quotedForm.exec(trimmed)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? trimmed
  if (keyForm.test(key)) return { key }
  return faulty('invalid-header', [
    {
      pointer: '#/header/idempotency-key',
      code: 'invalid-idempotency-key',
      message: 'idempotency-key takes 1 to 255 visible ASCII characters, bare or as a string in double quotes.',
    },
  ])
}
