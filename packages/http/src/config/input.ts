import {
  type AsOf,
  type Component,
  type ConfigKey,
  componentPattern,
  type InputFault,
  keyLengthLimit,
  keyPattern,
  type Precondition,
  parseComponent,
  parseKey,
  parseScope,
  type Revision,
  rootScope,
  type Scope,
  scopePattern,
} from '@cbp/core'
import { z } from '@hono/zod-openapi'
import type { Result } from 'neverthrow'
import { faulty, type Problem, problem } from '../problems/problem.ts'
import { malformedTags, parseEntityTags } from '../server/entity-tags.ts'
import type { Exchange } from '../server/exchange.ts'
import { readInstant } from '../server/parameters.ts'

type Metadata = Readonly<{ description: string; example: string; pattern: string; maxLength?: number }>

/** A parameter that core parses, described for the document by core's own pattern. */
function parsed<T>(parse: (text: string) => Result<T, InputFault>, metadata: Metadata): z.ZodType<T, string> {
  return z
    .string()
    .transform((text, context): T => {
      const result = parse(text)
      if (result.isOk()) return result.value
      const { code, message } = result.error
      context.addIssue({ code: 'custom', message, params: { code } })
      return z.NEVER
    })
    .openapi({ type: 'string', ...metadata })
}

export const componentParameter: z.ZodType<Component, string> = parsed(parseComponent, {
  description: 'A part of the platform that owns settings',
  example: 'payments',
  pattern: componentPattern.source,
})

export const keyParameter: z.ZodType<ConfigKey, string> = parsed(parseKey, {
  description: 'The name of a setting, dotted lower-kebab',
  example: 'retry.max-attempts',
  pattern: keyPattern.source,
  maxLength: keyLengthLimit,
})

export const scopeParameter: z.ZodType<Scope, string> = parsed(parseScope, {
  description: 'A slash path of at most 4 segments; `/` is everyone',
  example: '/production',
  pattern: scopePattern.source,
})

export const scopeOrRoot: z.ZodType<Scope, string | undefined> = scopeParameter
  .optional()
  .transform((scope) => scope ?? rootScope)
  .openapi({
    type: 'string',
    description: 'A slash path of at most 4 segments; `/`, everyone, is the default',
    example: '/production',
    pattern: scopePattern.source,
  })

export const asOfParameter: z.ZodType<AsOf | undefined, string | undefined> = z
  .string()
  .transform((text, context): AsOf => {
    if (/^\d{1,15}$/.test(text)) return { kind: 'revision', revision: Number(text) as Revision }
    const instant = readInstant(text)
    if (!Number.isNaN(instant)) return { kind: 'instant', instant }
    context.addIssue({
      code: 'custom',
      message: 'asOf is a revision in digits, or an RFC 3339 instant such as 2026-01-31T09:00:00Z.',
      params: { code: 'invalid-as-of' },
    })
    return z.NEVER
  })
  .optional()
  .openapi({ type: 'string', description: 'Reads as of a revision (digits) or an instant (RFC 3339)', example: '2026-01-31T09:00:00Z' })

/** Reads the condition that every write carries. `If-Match: *` names no version, so it counts as none. */
export function readPrecondition(exchange: Exchange): Precondition | Problem {
  const ifMatch = exchange.header('if-match')
  const ifNoneMatch = exchange.header('if-none-match')
  const match = ifMatch === undefined ? undefined : parseEntityTags(ifMatch)
  const noneMatch = ifNoneMatch === undefined ? undefined : parseEntityTags(ifNoneMatch)
  if (match === null) return malformedTags('if-match')
  if (noneMatch === null) return malformedTags('if-none-match')
  if (match !== undefined && noneMatch !== undefined) {
    return faulty('invalid-header', [
      {
        pointer: '#/header/if-none-match',
        code: 'contradictory',
        message: 'If-Match and If-None-Match together say nothing that a write could meet.',
      },
    ])
  }
  if (match !== undefined && match !== '*') return { kind: 'match', etags: match }
  if (noneMatch === '*') return { kind: 'absent' }
  if (match === '*') return problem('precondition-required', 'If-Match: * names no version, so it would overwrite what you have not seen.')
  if (noneMatch !== undefined)
    return problem('precondition-required', 'If-None-Match takes * here; to replace a version name it in If-Match.')
  return problem('precondition-required', 'The write carries neither If-Match nor If-None-Match: *.')
}
