import type { FastifyJWTOptions } from '@fastify/jwt'
import type { FastifyServerOptions } from 'fastify'
import { gatheredLog } from './gathered-log.ts'

/** The request and the answer to it that the peers take over from the host. */
export type Exemplar = Readonly<{ headers: Readonly<Record<string, string>>; body: string }>

export type Read = { Params: { component: string; key: string }; Querystring: { scope: string } }

/** Parameters of a read, with the bounds that the host holds them to. */
export const readSchema = {
  params: {
    type: 'object',
    required: ['component', 'key'],
    properties: {
      component: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,62}$' },
      key: { type: 'string', maxLength: 128, pattern: '^[a-z0-9.-]+$' },
    },
  },
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: { scope: { type: 'string', default: '/', pattern: '^/(?:[a-z][a-z0-9-]{0,62}(?:/[a-z][a-z0-9-]{0,62}){0,3})?$' } },
  },
} as const

/** @param isTuned the log gathered into few writes, as the host does; else the default */
export function serverOptions(isTuned: boolean, logFile: string): FastifyServerOptions {
  return {
    logger: isTuned ? { level: 'info', base: null, stream: gatheredLog(logFile) } : { level: 'info', base: null, file: logFile },
    disableRequestLogging: true,
    requestIdHeader: 'x-request-id',
  }
}

/** @param isTuned verified tokens remembered, as the host does; else the default */
export function tokenOptions(isTuned: boolean, publicKey: string): FastifyJWTOptions {
  return {
    secret: { public: publicKey },
    verify: {
      algorithms: ['EdDSA'],
      allowedIss: 'cbp-development',
      allowedAud: 'cbp-config-api',
      clockTolerance: 60_000,
      requiredClaims: ['exp'],
      cache: isTuned,
    },
  }
}
