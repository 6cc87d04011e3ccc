import * as fc from 'fast-check'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

type Schema = Readonly<Record<string, unknown>>

export type Parameter = Readonly<{ name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: Schema }>

/** One method of one path, as the OpenAPI document of the running service has it. */
export type Operation = Readonly<{
  name: string
  method: string
  path: string
  parameters: readonly Parameter[]
  body: Readonly<{ types: readonly string[]; schema: Schema }> | null
  /** Statuses that the document tells of. */
  statuses: ReadonlySet<number>
}>

type Pairs = readonly (readonly [name: string, value: string])[]

/** A request that the document would have, before anything is spoilt. */
export type Draft = Readonly<{
  operation: Operation
  method: string
  /** Encoded. */
  segments: readonly string[]
  query: Pairs
  headers: Pairs
  body: Json | undefined
  /** Where a signature is asked for: its fields over a body. */
  sign: Known['sign'] | null
}>

/** What really is there, so that requests do not end at the first look-up. */
export type Known = Readonly<{
  authorization: string
  /** As the Payment Service does. */
  sign: (body: Buffer) => Pairs
  ids: Readonly<Record<string, readonly string[]>>
}>

export type Document = Readonly<{
  paths: Readonly<Record<string, Readonly<Record<string, Schema>>>>
  components: Readonly<{ schemas: Readonly<Record<string, Schema>> }>
}>

export function operationsOf(document: Document): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]): Operation => {
      const content = (described['requestBody'] as { content?: Record<string, { schema: Schema }> } | undefined)?.content
      const types = Object.keys(content ?? {})
      const [type] = types
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters: (described['parameters'] ?? []) as readonly Parameter[],
        body: content === undefined || type === undefined ? null : { types, schema: content[type]?.schema ?? {} },
        statuses: new Set(Object.keys((described['responses'] ?? {}) as object).map(Number)),
      }
    }),
  )
}

/** Names that mean something here, by the parameter or member that takes them. */
const likely: Readonly<Record<string, readonly string[]>> = {
  component: ['payments', 'fuzz', 'fuzz-2'],
  key: ['limit', 'retry.max-attempts', 'fuzz'],
  scope: ['/', '/production', '/production/first-cu'],
  n: ['1', '2', '999'],
  from: ['1', '2026-01-31T09:00:00Z'],
  to: ['1', '2', '2030-01-31T09:00:00Z'],
  since: ['0', '1'],
  // A poll that stays open would hold up those behind it.
  wait: ['0'],
  asset: ['swagger-ui.css', 'start.js'],
  code: ['not-found', 'stale-version'],
  currency: ['USD', 'EUR', 'JPY'],
  url: ['http://127.0.0.1:9/hooks', 'http://localhost:9/'],
  'if-match': ['*', '"1"', '"1-a"', 'W/"1"'],
  'if-none-match': ['*', '"1"'],
  anchor: ['1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
  asOf: ['1', '2026-01-31T09:00:00Z'],
}

export function drafts(operation: Operation, document: Document, known: Known): fc.Arbitrary<Draft> {
  const values = (place: Parameter['in']): fc.Arbitrary<readonly (readonly [string, string])[]> =>
    fc
      .tuple(
        ...operation.parameters
          .filter((parameter) => parameter.in === place)
          .map((parameter) =>
            fc
              .option(textOf(parameter, operation, document, known), { nil: null, freq: parameter.required ? 50 : 1 })
              .map((text) => [parameter.name, text] as const),
          ),
      )
      .map((pairs) => pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null))
  const body = operation.body === null ? fc.constant(undefined) : jsonOf(operation.body.schema, document, 0)
  return fc
    .record({ path: values('path'), query: values('query'), headers: values('header'), body })
    .map(({ path, query, headers, body }) => {
      const names = new Map(path)
      const [type] = operation.body?.types ?? []
      return {
        operation,
        method: operation.method,
        segments: operation.path
          .slice(1)
          .split('/')
          .map((segment) => (segment.startsWith('{') ? encodeURIComponent(names.get(segment.slice(1, -1)) ?? 'none') : segment)),
        query,
        headers: [
          ['authorization', known.authorization],
          ...(type === undefined ? [] : ([['content-type', type]] as const)),
          ...headers.map(([name, value]) => [name, visible(value)] as const),
        ],
        body,
        sign: operation.parameters.some(({ name }) => name === 'webhook-signature') ? known.sign : null,
      }
    })
}

function visible(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '-')
}

function textOf(parameter: Parameter, operation: Operation, document: Document, known: Known): fc.Arbitrary<string> {
  const { name, schema } = parameter
  const pool =
    name === 'id' || name === 'subscription'
      ? known.ids[name === 'id' ? (operation.path.split('/{id}')[0] ?? '') : '/webhooks/subscriptions']
      : likely[name]
  const any = jsonOf(schema, document, 0).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  return pool === undefined || pool.length === 0
    ? any
    : fc.oneof({ arbitrary: fc.constantFrom(...pool), weight: 4 }, { arbitrary: name === 'wait' ? fc.constant('0') : any, weight: 1 })
}

const deepest = 6

/** Values that a schema takes, or nearly: patterns and formats are kept to, what stands only in words is not. */
function jsonOf(given: Schema, document: Document, depth: number): fc.Arbitrary<Json> {
  const schema = resolved(given, document)
  const options = (schema['anyOf'] ?? schema['oneOf']) as readonly Schema[] | undefined
  if (options !== undefined) return fc.oneof(...options.map((option) => jsonOf(option, document, depth)))
  if (schema['const'] !== undefined) return fc.constant(schema['const'] as Json)
  if (schema['enum'] !== undefined) return fc.constantFrom(...(schema['enum'] as readonly Json[]))
  const types = [schema['type'] ?? 'anything'].flat() as string[]
  if (types.length > 1) return fc.oneof(...types.map((type) => jsonOf({ ...schema, type }, document, depth)))
  const [type = 'anything'] = types
  switch (type) {
    case 'integer':
    case 'number':
      return fc.integer({ min: Number(schema['minimum'] ?? 0), max: Math.min(Number(schema['maximum'] ?? 1_000_000), 1_000_000) })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(jsonOf((schema['items'] ?? {}) as Schema, document, depth + 1), {
        minLength: Number(schema['minItems'] ?? 0),
        maxLength: Math.max(Number(schema['minItems'] ?? 0), 3),
      })
    case 'object':
      return objectOf(schema, document, depth)
    case 'string':
      return stringOf(schema)
    default:
      return depth > deepest ? fc.constant(1) : (fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>)
  }
}

function resolved(schema: Schema, document: Document): Schema {
  const reference = schema['$ref']
  if (typeof reference !== 'string') return schema
  return resolved(document.components.schemas[reference.split('/').at(-1) ?? ''] ?? {}, document)
}

function objectOf(schema: Schema, document: Document, depth: number): fc.Arbitrary<Json> {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>)
  const required = (schema['required'] ?? []) as readonly string[]
  if (properties.length === 0)
    return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[ -~]{0,20}$/), { maxKeys: 3, noNullPrototype: true })
  const members = Object.fromEntries(
    properties.map(([name, member]) => {
      const pool = likely[name]
      return [name, pool === undefined ? jsonOf(member, document, depth + 1) : fc.constantFrom<Json>(...pool)]
    }),
  )
  return fc.record<Record<string, Json>>(members, { requiredKeys: [...required], noNullPrototype: true })
}

function stringOf(schema: Schema): fc.Arbitrary<string> {
  const { pattern, format } = schema
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern))
  if (format === 'uuid') return fc.uuid()
  if (format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString())
  if (format === 'uri') return fc.constantFrom('http://127.0.0.1:9/hooks', 'https://hooks.invalid/x')
  return fc.string({ minLength: Math.max(1, Number(schema['minLength'] ?? 1)), maxLength: Math.min(40, Number(schema['maxLength'] ?? 40)) })
}
