/** One kind of problem (RFC 9457): stable code, status, short title and what a client can do about it. */
export type ProblemKind = Readonly<{ status: number; title: string; remedy: string }>

export type ProblemCode =
  | 'malformed-json'
  | 'invalid-parameter'
  | 'invalid-header'
  | 'invalid-cursor'
  | 'bad-request'
  | 'unauthenticated'
  | 'invalid-token'
  | 'insufficient-permission'
  | 'scope-not-permitted'
  | 'not-found'
  | 'config-not-found'
  | 'entry-not-found'
  | 'version-not-found'
  | 'revision-beyond-head'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'cursor-gone'
  | 'stale-version'
  | 'resolved-etag'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'expectation-failed'
  | 'invalid-body'
  | 'invalid-value'
  | 'unknown-version'
  | 'precondition-required'
  | 'header-too-large'
  | 'internal-error'
  | 'store-unavailable'
  | 'keys-unavailable'
  | 'deadline-exceeded'
  | 'shutting-down'

const retry = 'Try again after the time in Retry-After, with growing pauses. Conditional writes are safe to send again.'

/** Every problem that this service answers: the catalogue pages and the OpenAPI document are made from it. */
export const catalogue: Readonly<Record<ProblemCode, ProblemKind>> = {
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    remedy: 'Send one JSON text (RFC 8259) in UTF-8, with Content-Type: application/json.',
  },
  'invalid-parameter': {
    status: 400,
    title: 'A path or query parameter is not valid',
    remedy: 'Each fault names its parameter as #/path/<name> or #/query/<name>, and what it may be.',
  },
  'invalid-header': {
    status: 400,
    title: 'A header field is not valid',
    remedy: 'Each fault names its field as #/header/<name>. Entity tags stand in double quotes, exactly as they were received.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor has no valid form',
    remedy: 'Pass cursors on exactly as they were received: <epoch>.<revision>, or a bare revision.',
  },
  'bad-request': {
    status: 400,
    title: 'The request is not valid HTTP',
    remedy: 'Mend the request line, the Host field or the framing of the request.',
  },
  unauthenticated: {
    status: 401,
    title: 'A bearer token is required',
    remedy: 'Send Authorization: Bearer <token>. In development `npm run -s cbp -- token mint` makes one.',
  },
  'invalid-token': {
    status: 401,
    title: 'The bearer token is not valid',
    remedy: 'Get a new token from the issuer, for this audience; the detail says what is wrong with this one.',
  },
  'insufficient-permission': {
    status: 403,
    title: 'The token lacks a permission',
    remedy: 'Get a token whose scope names the permission that WWW-Authenticate asks for, or admin.',
  },
  'scope-not-permitted': {
    status: 403,
    title: 'The token is confined to other configuration scopes',
    remedy: 'Name with ?scope= a scope that lies under one of the cbp_scopes of the token.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing at this path',
    remedy: 'See /docs for the paths of this service.',
  },
  'config-not-found': {
    status: 404,
    title: 'The setting has no value',
    remedy: 'Neither this scope nor any above it holds an entry, and no default ships. Set one with PUT and If-None-Match: *.',
  },
  'entry-not-found': {
    status: 404,
    title: 'There is no entry at exactly this address',
    remedy: 'A value may still be inherited: read it without raw=true. To create an entry here send PUT with If-None-Match: *.',
  },
  'version-not-found': {
    status: 404,
    title: 'The entry has no such version',
    remedy: 'GET …/versions lists the versions there are.',
  },
  'revision-beyond-head': {
    status: 404,
    title: 'The revision does not exist yet',
    remedy: 'asOf takes a revision up to the head, which GET /config tells.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The path does not take this method',
    remedy: 'The Allow field lists the methods that it takes.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    remedy: 'Send the whole request promptly once the connection is open.',
  },
  'cursor-gone': {
    status: 410,
    title: 'The cursor belongs to another history',
    remedy: 'The store was restored or failed over. Read GET /config/{component} again and go on from the cursor in its body.',
  },
  'stale-version': {
    status: 412,
    title: 'The entry is not what you last saw',
    remedy:
      'Nothing was written. `current` is the entry as it is now and `differences` what changed: decide anew, then write with its etag.',
  },
  'resolved-etag': {
    status: 412,
    title: 'The entity tag is that of a resolved value',
    remedy: 'Write against the entry itself: use entryEtag of the resolved body, or If-None-Match: * where it is null.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    remedy: 'A body takes at most 1 MiB, and a value in it at most 64 KiB. Split it over several keys.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body has an unsupported type',
    remedy: 'Send Content-Type: application/json in UTF-8, without a content coding.',
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation cannot be met',
    remedy: 'Leave out the Expect field, or send Expect: 100-continue.',
  },
  'invalid-body': {
    status: 422,
    title: 'The body does not fit its schema',
    remedy: 'Each fault points at a member of the body. Members that the schema does not name are refused.',
  },
  'invalid-value': {
    status: 422,
    title: 'The value is not acceptable',
    remedy: 'Each fault points into the value. Settings of the service itself have schemas; see their shipped defaults.',
  },
  'unknown-version': {
    status: 422,
    title: 'There is no such version to return to',
    remedy: 'GET …/versions lists the versions that toVersion may name.',
  },
  'precondition-required': {
    status: 428,
    title: 'The write needs a precondition',
    remedy: 'Send If-Match with the ETag of the raw entry (entryEtag of a resolved one), or If-None-Match: * to create it.',
  },
  'header-too-large': {
    status: 431,
    title: 'The header is too large',
    remedy: 'All header fields together take at most 16 KiB, and a token at most 8 KiB.',
  },
  'internal-error': {
    status: 500,
    title: 'The service failed',
    remedy: 'This is a defect of the service. Report the requestId; the log tells the rest.',
  },
  'store-unavailable': { status: 503, title: 'The store does not answer', remedy: retry },
  'keys-unavailable': { status: 503, title: 'The keys of the token issuer cannot be read', remedy: retry },
  'deadline-exceeded': {
    status: 503,
    title: 'The request took too long',
    remedy: 'A write may or may not have been made: read the entry before sending it again. Reads can be sent again.',
  },
  'shutting-down': { status: 503, title: 'This instance is shutting down', remedy: retry },
}

export const problemCodes: readonly ProblemCode[] = Object.keys(catalogue) as ProblemCode[]
