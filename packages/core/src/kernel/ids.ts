import type { Brand } from './brand.ts'

/** A UUIDv7 (RFC 9562) in lower-case text form. */
export type Uuid = Brand<string, 'Uuid'>

/** Port: fresh identifiers, rising with time. */
export interface IdSource {
  next(): Uuid
}
