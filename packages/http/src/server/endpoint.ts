import type { Permission } from '@cbp/core'
import { z } from '@hono/zod-openapi'
import type { ProblemCode } from '../problems/catalogue.ts'
import type { Problem } from '../problems/problem.ts'
import type { Answer, StreamedAnswer } from './answer.ts'
import type { Exchange } from './exchange.ts'
import { defaultBodyLimitBytes, parameterReader, readJsonBody } from './validate.ts'

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete'

/**
 * Who may call: everybody (`null`), whoever holds a permission, or whoever brings a credential. `authenticated` asks for a
 * valid one; with `any-bearer` a refused one reaches the handler too, as an exchange without identity.
 */
export type Access = Permission | 'authenticated' | 'any-bearer' | null

/**
 * What holds back a caller who may call: nothing beyond that (`open`, `permission`), the signature of the message, the
 * scopes of configuration that the caller is confined to, who owns the thing asked for, or that it is about the caller's own credential.
 */
export type Confinement = 'open' | 'permission' | 'signature' | 'scope' | 'owner' | 'self'

/**
 * How it counts: a `probe` is neither limited nor refused under load; a `webhook` counts by its signature, which the handler
 * checks; a `stream`, or a poll that stays open, counts once and holds no place of a request.
 */
export type Traffic = 'request' | 'probe' | 'webhook' | 'stream'

export type Outcome = Answer | StreamedAnswer | Problem

export type SuccessDocumentation = Readonly<{
  description: string
  /** Media type to schema; none for an answer without a body. */
  content?: Readonly<Record<string, z.ZodType>>
  headers?: Readonly<Record<string, string>>
}>

/** What the OpenAPI document tells about an endpoint, made of the very schemas that validate. */
export type EndpointDocumentation = Readonly<{
  summary: string
  description?: string
  tag: string
  params: z.ZodObject | null
  query: z.ZodObject
  body: z.ZodType | null
  /** What the endpoint reads by itself, and is only described here. */
  rawBody: z.ZodType | null
  /** Media types that the body may have. */
  bodyTypes: readonly string[]
  /** Header fields that the endpoint reads, by name. */
  headers: Readonly<Record<string, string>>
  /** Those that it does not do without. */
  requiredHeaders: Readonly<Record<string, string>>
  successes: Readonly<Record<number, SuccessDocumentation>>
  problems: readonly ProblemCode[]
}>

/** One method of one path: everything the host needs to route, guard, run and describe it. */
export type Endpoint = Readonly<{
  method: Method
  /** With parameters in braces, e.g. `/config/{component}`. */
  path: string
  permission: Access
  /** `null` where nothing was said, which a test of all routes does not let pass. */
  confinement: Confinement | null
  traffic: Traffic
  bodyLimitBytes: number
  /** How long an answer may take; `null` for streams, which end by themselves. */
  deadlineMs: number | null
  documentation: EndpointDocumentation
  run: (exchange: Exchange) => Promise<Outcome>
}>

/** Room for every body that is no value of configuration and no batch. */
export const smallBodyBytes: number = 64 * 1024

const defaultDeadlineMs = 30_000
const jsonOnly: readonly string[] = ['application/json']
const noParameters: z.ZodObject = z.strictObject({})

type Definition<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> = Readonly<{
  method: Method
  path: string
  permission: Access
  confinement?: Confinement
  /** `request` unless said otherwise. */
  traffic?: Traffic
  deadlineMs?: number | null
  summary: string
  description?: string
  tag: string
  params?: Params
  query?: Query
  body?: Body
  /** Instead of `body`: for an endpoint that reads the bytes by itself. */
  rawBody?: z.ZodType
  /** `application/json` unless others are named. */
  bodyTypes?: readonly string[]
  /** 1 MiB unless it needs less. */
  bodyLimitBytes?: number
  headers?: Readonly<Record<string, string>>
  requiredHeaders?: Readonly<Record<string, string>>
  successes: Readonly<Record<number, SuccessDocumentation>>
  problems?: readonly ProblemCode[]
  handle: (
    input: Readonly<{ params: z.output<Params>; query: z.output<Query>; body: z.output<Body> }>,
    exchange: Exchange,
  ) => Outcome | Promise<Outcome>
}>

/** A body in JSON with one schema. */
export function json(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return { 'application/json': schema }
}

/** Ties schemas and handler together: nothing unvalidated reaches `handle`, and nothing undocumented is validated. */
export function endpoint<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>(
  definition: Definition<Params, Query, Body>,
): Endpoint {
  const { method, path, permission, summary, description, tag, params, body, handle } = definition
  const bodyTypes = definition.bodyTypes ?? jsonOnly
  const bodyLimitBytes = definition.bodyLimitBytes ?? defaultBodyLimitBytes
  const query = (definition.query ?? noParameters) as Query
  const readParameters = parameterReader(
    (params ?? null) as z.ZodType<z.output<Params>> | null,
    query as z.ZodType as z.ZodType<z.output<Query>>,
  )
  return {
    method,
    path,
    permission,
    confinement: definition.confinement ?? null,
    traffic: definition.traffic ?? 'request',
    bodyLimitBytes,
    deadlineMs: definition.deadlineMs === undefined ? defaultDeadlineMs : definition.deadlineMs,
    documentation: {
      summary,
      ...(description === undefined ? {} : { description }),
      tag,
      params: params ?? null,
      query,
      body: body ?? null,
      rawBody: definition.rawBody ?? null,
      bodyTypes,
      headers: definition.headers ?? {},
      requiredHeaders: definition.requiredHeaders ?? {},
      successes: definition.successes,
      problems: definition.problems ?? [],
    },
    run: async (exchange) => {
      const parameters = readParameters(exchange)
      if ('code' in parameters) return parameters
      if (body === undefined) return handle({ ...parameters, body: undefined as z.output<Body> }, exchange)
      const read = await readJsonBody(exchange, body as z.ZodType<z.output<Body>>, { types: bodyTypes, limitBytes: bodyLimitBytes })
      if ('code' in read) return read
      return handle({ ...parameters, body: read.body }, exchange)
    },
  }
}
